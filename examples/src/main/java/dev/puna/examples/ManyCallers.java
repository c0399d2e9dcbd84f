// SPDX-License-Identifier: Apache-2.0
package dev.puna.examples;

import dev.puna.Context;
import dev.puna.Message;
import dev.puna.Model;
import dev.puna.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Many virtual threads ask one model: they wait, one thread computes, and up to 16 answers grow together. */
public final class ManyCallers {
    private ManyCallers() {}

    /**
     * Asks many questions at once.
     *
     * @param arguments a model and a number of callers, or nothing
     * @throws InterruptedException if it is interrupted while it waits
     * @throws ExecutionException if an answer failed
     */
    public static void main(String... arguments) throws InterruptedException, ExecutionException {
        String reference = arguments.length > 0 ? arguments[0] : "smollm2";
        int callers = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 32;
        try (Model model = Model.load(reference);
                Context context = model.newContext(options -> options.maxSequences(16));
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Reply>> replies = new ArrayList<>();
            for (int i = 1; i <= callers; i++) {
                List<Message> messages = List.of(Message.user("Say something nice about the number " + i + "."));
                replies.add(threads.submit(
                        () -> context.chat(messages).maxTokens(24).reply()));
            }
            int tokens = 0;
            for (Future<Reply> reply : replies) {
                IO.println(reply.get().text().strip().replace('\n', ' '));
                tokens += reply.get().usage().generatedTokens();
            }
            IO.println(callers + " callers, " + tokens + " tokens in "
                    + context.status().steps() + " steps");
        }
    }
}
