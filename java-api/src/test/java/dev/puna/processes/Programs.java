// SPDX-License-Identifier: Apache-2.0
package dev.puna.processes;

import dev.puna.Message;
import dev.puna.Model;
import dev.puna.Sampler;
import dev.puna.TextStream;
import dev.puna.store.ModelStore;
import dev.puna.testing.Models;
import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/** Programs that run in processes of their own, for {@link ProcessesTest}. */
final class Programs {
    private Programs() {}

    /** Loads two models from virtual threads that share one carrier, while a third one ticks. */
    static final class TwoLoads {
        public static void main(String[] arguments) throws InterruptedException {
            ModelStore.standard(); // its classes are loaded: pure Java, but it takes its time
            AtomicLong longest = new AtomicLong();
            AtomicLong ticks = new AtomicLong();
            Thread ticking = Thread.ofVirtual().start(() -> {
                long last = System.nanoTime();
                while (!Thread.currentThread().isInterrupted()) {
                    try {
                        Thread.sleep(1);
                    } catch (InterruptedException e) {
                        return;
                    }
                    long now = System.nanoTime();
                    longest.accumulateAndGet(now - last, Math::max);
                    ticks.incrementAndGet();
                    last = now;
                }
            });
            long begun = System.nanoTime();
            List<Thread> loading = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                loading.add(Thread.ofVirtual().start(() -> {
                    try (Model model = Model.load("smollm2")) {
                        System.out.println(
                                "answer " + model.prompt("Once").maxTokens(3).text());
                    }
                }));
            }
            for (Thread thread : loading) {
                thread.join();
            }
            long took = System.nanoTime() - begun;
            ticking.interrupt();
            System.out.println("ticks " + ticks.get());
            System.out.println("took " + took / 1_000_000);
            System.out.println("longest " + longest.get() / 1_000_000);
        }

        private TwoLoads() {}
    }

    /** Returns from main while a generation runs and nothing is closed. */
    static final class Careless {
        public static void main(String[] arguments) {
            TextStream stream = Model.load("smollm2").prompt("Once upon a time").ignoreEnd().stream();
            System.out.println("first " + stream.iterator().next());
        }

        private Careless() {}
    }

    /** Generates in two class loaders at once. */
    static final class TwoLoaders {
        public static void main(String[] arguments) throws Exception {
            List<URL> urls = new ArrayList<>();
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
                urls.add(Path.of(entry).toUri().toURL());
            }
            AtomicReference<Exception> failure = new AtomicReference<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                URLClassLoader loader =
                        new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        Class<?> answer = Class.forName(Answer.class.getName(), true, loader);
                        answer.getMethod("say").invoke(null);
                    } catch (ReflectiveOperationException e) {
                        failure.set(e);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            if (failure.get() != null) {
                throw failure.get();
            }
        }

        private TwoLoaders() {}
    }

    /** What each class loader runs. */
    public static final class Answer {
        /** Asks the tiny model. */
        public static void say() {
            try (Model model = Model.load(Models.TINY)) {
                String text = model.chat(List.of(Message.user("Hello")))
                        .sampler(Sampler.greedy())
                        .text();
                System.out.println(text + " " + System.identityHashCode(Model.class.getClassLoader()));
            }
        }

        private Answer() {}
    }

    /** Forgets models while they generate: they must be freed, and the log tell where they were opened. */
    static final class Forgetful {
        public static void main(String[] arguments) throws InterruptedException {
            for (int i = 0; i < 6; i++) {
                forget();
            }
            long until = System.nanoTime() + 20_000_000_000L;
            while (System.nanoTime() < until && engines() > 0) {
                System.gc();
                Thread.sleep(20);
            }
            System.out.println("engines left " + engines());
            Thread.sleep(200);
        }

        private static void forget() {
            Model model = Model.load(Models.TINY);
            model.prompt("Hello").ignoreEnd().stream();
        }

        private static long engines() {
            return Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith("puna-engine"))
                    .count();
        }

        private Forgetful() {}
    }

    /** Chats with a file whose template is not valid. */
    static final class BadTemplate {
        public static void main(String[] arguments) {
            try (Model model = Model.load(Path.of(arguments[0]))) {
                var request = model.chat(List.of(Message.system("Be."), Message.user("Hello")));
                System.out.println("rendered " + request.rendered().replace("\n", "|"));
                System.out.println("answer "
                        + model.chat(List.of(Message.user("Hello")))
                                .sampler(Sampler.greedy())
                                .text());
                System.out.println("capabilities " + model.capabilities());
            }
        }

        private BadTemplate() {}
    }
}
