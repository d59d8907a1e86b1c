"""Finish a built site: Markdown, llms.txt, redirects, headers, the offline zip."""
