// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks, calls the tools that the answer wants, tells the results, and asks again, until an answer wants none. On the
 * caller's thread. What a model did wrong is told to it; what is the caller's to know is thrown.
 */
final class ToolLoop {
    static final int ROUNDS = 8;

    private final Toolbox tools;
    private final int rounds;
    private final boolean failing;

    /**
     * A loop.
     *
     * @param tools some of which it runs
     * @param rounds how often tools may be called at most
     * @param failing whether what a tool throws ends the loop
     */
    ToolLoop(Toolbox tools, int rounds, boolean failing) {
        this.tools = tools;
        this.rounds = rounds;
        this.failing = failing;
    }

    /** Who answers. */
    interface Rounds {
        /** The answer, after the results of the calls of the one before; the first time there are none. */
        Reply answer(List<Message> results);
    }

    /** The answer that calls no tool, or one that the caller runs. */
    Reply run(Rounds talk) {
        Reply reply = talk.answer(List.of());
        for (int round = 1; reply.stopReason() == StopReason.TOOL_CALLS; round++) {
            if (reply.toolCalls().stream().anyMatch(call -> tools.isCallers(call.name()))) {
                return reply;
            }
            if (round > rounds) {
                throw new ToolException(
                        "the model called tools in " + round + " answers in a row, the last time "
                                + reply.toolCalls().getLast().name() + "; maxToolRounds allows " + rounds,
                        null);
            }
            List<Message> results = new ArrayList<>();
            for (ToolCall call : reply.toolCalls()) {
                results.add(Message.toolResult(call.id(), call.name(), result(call, reply)));
            }
            reply = talk.answer(results);
        }
        return reply;
    }

    private String result(ToolCall call, Reply partial) {
        if (Thread.currentThread().isInterrupted()) {
            throw new GenerationInterruptedException(partial);
        }
        ToolMethod method = tools.method(call.name());
        if (method == null) {
            return "error: there is no tool \"" + call.name() + "\", but " + tools.names();
        }
        try {
            return method.call(call.arguments());
        } catch (IllegalArgumentException e) {
            return "error: the arguments of " + call.name() + " do not fit: " + e.getMessage();
        } catch (InvocationTargetException e) {
            return thrown(call, e.getTargetException(), partial);
        }
    }

    private String thrown(ToolCall call, Throwable thrown, Reply partial) {
        if (thrown instanceof Error error) {
            throw error;
        }
        if (thrown instanceof InterruptedException) {
            Thread.currentThread().interrupt();
            throw new GenerationInterruptedException(partial);
        }
        if (thrown instanceof GenerationInterruptedException e) {
            throw e;
        }
        if (failing) {
            throw new ToolException("the tool " + call.name() + " failed: " + thrown.getMessage(), thrown);
        }
        String why = thrown.getMessage() == null ? thrown.getClass().getSimpleName() : thrown.getMessage();
        return "error: " + call.name() + " failed: " + why;
    }
}
