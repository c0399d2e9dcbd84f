// SPDX-License-Identifier: Apache-2.0
package dev.puna.testing;

import dev.puna.Model;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/** The models of the tests: one that knows a few conversations by heart, and the real default one. */
public final class Models {
    /** The test data of the whole project. */
    public static final Path DATA =
            Path.of(Objects.requireNonNull(System.getProperty("puna.root")), "native", "tests", "data");

    /** A model of 300 kB that knows conversations by heart. */
    public static final Path TINY = DATA.resolve("tiny/tiny-chat.gguf");

    /** What it says, by what it is asked. */
    public static final Map<String, Golden> CONVERSATIONS = Golden.cases(DATA.resolve("tiny/tiny-chat.golden"));

    /** The question with the longest answer, 373 tokens. */
    public static final String STORY = "Tell me a story about a ferry.";

    private Models() {}

    /** Loaded once for all tests. */
    private static final class Shared {
        static final Model TINY_MODEL = Model.load(TINY);

        private Shared() {}
    }

    /** Fetched and loaded once for all tests. */
    private static final class Real {
        static final Model SMOLLM2 = Model.load("smollm2");

        private Real() {}
    }

    /** {@return Gemma 3 270M (the base model), fetched and verified by the store if need be; the caller closes it} */
    public static Model gemma3() {
        return Model.load("gemma3-270m");
    }

    /** {@return the tiny model, shared: not to be closed} */
    public static Model tiny() {
        return Shared.TINY_MODEL;
    }

    /** {@return SmolLM2-135M-Instruct, fetched and verified by the store if need be, shared: not to be closed} */
    public static Model smollm2() {
        return Real.SMOLLM2;
    }

    /**
     * What the tiny model answers.
     *
     * @param question a case of its golden
     * @return the answer
     */
    public static String answer(String question) {
        return conversation(question).text("answer");
    }

    /**
     * A conversation that the tiny model knows.
     *
     * @param question a case of its golden
     * @return the case
     */
    public static Golden conversation(String question) {
        return Objects.requireNonNull(CONVERSATIONS.get(question), question);
    }
}
