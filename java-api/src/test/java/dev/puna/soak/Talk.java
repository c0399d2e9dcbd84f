// SPDX-License-Identifier: Apache-2.0
package dev.puna.soak;

import dev.puna.Chat;
import dev.puna.Context;
import java.util.Random;

/** A chat that follows a script: its path says all that was said, so that its answers can be compared with others'. */
final class Talk implements AutoCloseable {
    private final Chat chat;
    private final int script;
    private String path;

    private Talk(Chat chat, int script, String path) {
        this.chat = chat;
        this.script = script;
        this.path = path;
    }

    static Talk open(Context context, Random random) {
        int script = random.nextInt(Questions.SCRIPTS);
        return new Talk(context.newChat(o -> o.system(Questions.system(script))), script, "");
    }

    boolean isOver() {
        return path.length() >= Questions.TURNS;
    }

    boolean hasAnswers() {
        return !path.isEmpty();
    }

    /** The next turn; {@link #said} or {@link #takeBack} must follow its end. */
    Chat.Turn say(int way) {
        path += way;
        return settings(chat.user(Questions.saying(script, path.length(), way)));
    }

    /** The last answer once more. */
    Chat.Turn again() {
        return settings(chat.again());
    }

    private Chat.Turn settings(Chat.Turn turn) {
        int way = path.chars().sum() % 5;
        return turn.sampler(Questions.sampler(way)).maxTokens(12 + 6 * path.length());
    }

    String key() {
        return "chat " + script + ", path " + path;
    }

    /** What a turn that did not end well has left is taken back, so that the path tells the truth again. */
    void takeBack() {
        path = path.substring(0, path.length() - 1);
        int before = 1 + 2 * path.length();
        while (chat.messages().size() > before) {
            chat.rewindTurns(1);
        }
    }

    void rewind() {
        chat.rewindTurns(1);
        path = path.substring(0, path.length() - 1);
    }

    Talk fork() {
        return new Talk(chat.fork(), script, path);
    }

    @Override
    public void close() {
        chat.close();
    }
}
