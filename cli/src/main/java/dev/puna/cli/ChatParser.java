// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

import java.util.List;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;

/**
 * When what was typed is complete: not after a backslash at its end, and not while a fence of three backticks is open. What
 * is pasted keeps its lines anyway.
 */
final class ChatParser implements Parser {
    private static final String FENCE = "```";

    @Override
    public ParsedLine parse(String line, int cursor, ParseContext context) {
        if (context == ParseContext.ACCEPT_LINE && isOpen(line)) {
            throw new EOFError(-1, cursor, "more lines follow");
        }
        return new Whole(line, cursor);
    }

    static boolean isOpen(String text) {
        return text.endsWith("\\") || fences(text) % 2 == 1;
    }

    private static long fences(String text) {
        return text.lines().filter(line -> line.strip().startsWith(FENCE)).count();
    }

    /** The message that the lines are: without the backslashes that continued them, and without a fence around it all. */
    static String joined(String text) {
        String joined = text.replace("\\\n", "\n");
        if (joined.startsWith(FENCE + "\n") && joined.endsWith("\n" + FENCE) && fences(joined) == 2) {
            return joined.substring(FENCE.length() + 1, joined.length() - FENCE.length() - 1);
        }
        return joined;
    }

    /** The whole text is one word, which is all that completion of commands needs. */
    private record Whole(String line, int cursor) implements CompletingParsedLine {
        @Override
        public String word() {
            return line;
        }

        @Override
        public int wordCursor() {
            return cursor;
        }

        @Override
        public int wordIndex() {
            return 0;
        }

        @Override
        public CharSequence escape(CharSequence candidate, boolean complete) {
            return candidate;
        }

        @Override
        public int rawWordCursor() {
            return cursor;
        }

        @Override
        public int rawWordLength() {
            return line.length();
        }

        @Override
        public List<String> words() {
            return List.of(line);
        }
    }
}
