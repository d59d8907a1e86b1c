public class Hook {
    public static void main(String[] arguments) throws InterruptedException {
        Thread hook = new Thread(() -> System.out.println("the hook ran"));
        Runtime.getRuntime().addShutdownHook(hook);
        System.out.println("ready");
        Thread.sleep(60_000);
    }
}
