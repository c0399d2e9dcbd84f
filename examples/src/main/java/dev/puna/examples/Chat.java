// SPDX-License-Identifier: Apache-2.0
package dev.puna.examples;

import dev.puna.Model;
import dev.puna.Piece;
import dev.puna.TextStream;

/** A chat in the terminal: a line a question, an empty line ends it. The argument is a model reference or a file. */
public final class Chat {
    private Chat() {}

    /**
     * Talks until an empty line, or the end of the input.
     *
     * @param arguments a model, or nothing for the default one
     */
    public static void main(String... arguments) {
        try (Model model = Model.load(arguments.length > 0 ? arguments[0] : "smollm2");
                dev.puna.Chat chat = model.newChat(options -> options.system("You are a helpful assistant."))) {
            String line = IO.readln("> ");
            while (line != null && !line.isBlank()) {
                try (TextStream answer = chat.user(line).stream()) {
                    for (Piece piece : answer) {
                        IO.print(piece);
                    }
                }
                line = IO.readln("\n> ");
            }
        }
    }
}
