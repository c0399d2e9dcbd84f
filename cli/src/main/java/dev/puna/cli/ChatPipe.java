// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import dev.puna.Channel;
import dev.puna.Piece;
import dev.puna.TextStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** A chat for programs: each line is a user's turn, whatever it begins with; each answer ends with a line end. */
final class ChatPipe {
    private final Streams streams;
    private final Conversation conversation;

    ChatPipe(Streams streams, Conversation conversation) {
        this.streams = streams;
        this.conversation = conversation;
    }

    void talk() throws IOException {
        PrintStream out = streams.out();
        BufferedReader lines = new BufferedReader(new InputStreamReader(streams.in(), StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.isBlank()) {
                continue;
            }
            try (TextStream stream = conversation.say(line)) {
                for (Piece piece : stream) {
                    if (piece.channel() == Channel.REASONING) {
                        continue; // answers alone
                    }
                    out.print(piece.text());
                    if (out.checkError()) { // which flushes; nobody reads any more
                        return;
                    }
                }
            }
            out.println();
            out.flush();
        }
    }
}
