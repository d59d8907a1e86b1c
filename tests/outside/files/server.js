const http = require("http");
const port = Number(process.argv[2]);
http.createServer((_, answer) => answer.end("node\n")).listen(port, "127.0.0.1");
