// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.talk;

import dev.puna.Channel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Cuts a stream of text into reasoning, calls of tools and the answer. One thread.
 *
 * <p>Invariants: what comes out does not depend on how the text was cut when it came in; a mark, whole or half, never
 * comes out, unless what it opened turns out to be no call: then all of it is answer. White space around reasoning and
 * in front of a call is dropped; everything else comes out once, in order. A call comes out when it is whole.
 *
 * <p>Reasoning is opened by text only where nothing was answered yet: an answer may quote the mark. A control token
 * opens it anywhere, since no quotation is spelled with one.
 */
public final class Splitter {
    private enum State {
        START, // nothing but white space was said since the beginning, or since the reasoning
        REASONING,
        ANSWER,
        CALL
    }

    private final Speech speech;
    private final String open; // of reasoning; empty if there is none, as all below
    private final String close;
    private final String callOpen;
    private final String callClose;
    private final boolean bare; // a brace at the beginning opens a call
    private final List<Call> calls = new ArrayList<>();
    private final StringBuilder pending = new StringBuilder(); // came in, and is not decided
    private State state;
    private boolean cut; // something was taken off the answer
    private boolean reasoned; // something of this reasoning came out
    private String opened = ""; // the mark that opened the call
    private List<Part> out = new ArrayList<>();

    Splitter(Speech speech) {
        this.speech = speech;
        Dialect.Marks reasoning = speech.dialect().reasoning();
        this.open = reasoning == null ? "" : reasoning.open();
        this.close = reasoning == null ? "" : reasoning.close();
        ToolFormat format = speech.dialect().tools();
        this.callOpen = format == null ? "" : format.open();
        this.callClose = format == null ? "" : format.close();
        this.bare = format != null && callOpen.isEmpty();
        this.state = speech.reasoning() ? State.REASONING : State.START;
    }

    /**
     * More text.
     *
     * @param text any
     * @return what is decided now
     */
    public List<Part> text(String text) {
        pending.append(text);
        while (step()) {}
        return taken();
    }

    /**
     * A control token that is one of the dialect's marks.
     *
     * @param mark its spelling
     * @return what is decided now
     */
    public List<Part> mark(String mark) {
        if (state == State.CALL) {
            if (mark.equals(callClose)) {
                endCall(callClose);
            } else {
                pending.append(mark); // the format knows what it means
            }
            return taken();
        }
        decide();
        if (mark.equals(open)) {
            reasoned = false;
            state = State.REASONING;
        } else if (mark.equals(close)) {
            cut = true;
            state = State.START;
        } else if (mark.equals(callOpen) || bare) {
            opened = pending + mark;
            state = State.CALL;
        } else {
            return taken(); // it closes what was never opened
        }
        pending.setLength(0);
        return taken();
    }

    /**
     * The end.
     *
     * @return all that is left
     */
    public List<Part> end() {
        if (state == State.CALL) {
            endCall("");
        }
        String text = pending.toString();
        switch (state) {
            case REASONING -> say(Channel.REASONING, text.stripTrailing());
            case START -> say(Channel.ANSWER, cut ? text.strip() : text);
            default -> say(Channel.ANSWER, text);
        }
        pending.setLength(0);
        return taken();
    }

    /** {@return the calls that were read until now} */
    public List<Call> calls() {
        return List.copyOf(calls);
    }

    private List<Part> taken() {
        List<Part> parts = out;
        out = new ArrayList<>();
        return parts;
    }

    private void say(Channel channel, String text) {
        if (!text.isEmpty()) {
            out.add(new Part(channel, text));
            cut |= channel != Channel.ANSWER;
        }
    }

    /** A control token follows: what looked like half a mark is none. */
    private void decide() {
        Channel channel = state == State.REASONING ? Channel.REASONING : Channel.ANSWER;
        String text = pending.toString();
        say(channel, cut && state == State.START ? text.strip() : text.stripTrailing());
        if (!text.isBlank() && state == State.START) {
            state = State.ANSWER;
        }
        String space = text.substring(text.stripTrailing().length());
        pending.setLength(0);
        pending.append(space);
    }

    /** Decides what can be decided; returns whether there may be more. */
    private boolean step() {
        return switch (state) {
            case START -> start();
            case REASONING -> until(Channel.REASONING, close);
            case ANSWER -> until(Channel.ANSWER, callOpen);
            case CALL -> call();
        };
    }

    private boolean start() {
        int at = 0;
        while (at < pending.length() && Character.isWhitespace(pending.charAt(at))) {
            at++;
        }
        String text = pending.substring(at);
        if (text.isEmpty()) {
            return false; // white space alone: dropped if a mark follows
        }
        if (!open.isEmpty() && text.startsWith(open)) {
            pending.delete(0, at + open.length());
            state = State.REASONING;
            return true;
        }
        if (!open.isEmpty() && text.startsWith(close)) { // the template closed it, and the model did again
            pending.delete(0, at + close.length());
            cut = true;
            return true;
        }
        if (!callOpen.isEmpty() && text.startsWith(callOpen)) {
            pending.delete(0, at);
            state = State.ANSWER;
            return true;
        }
        if (bare && text.startsWith("{")) {
            pending.delete(0, at);
            opened = "";
            state = State.CALL;
            return false;
        }
        if (Stream.of(open, close, callOpen).anyMatch(mark -> mark.length() > text.length() && mark.startsWith(text))) {
            return false; // half a mark
        }
        if (cut) {
            pending.delete(0, at); // what stands between the reasoning and the answer
        }
        state = State.ANSWER;
        return true;
    }

    /** Gives out what stands in front of a mark; white space at the end waits, since a mark may follow. */
    private boolean until(Channel channel, String mark) {
        if (mark.isEmpty()) {
            say(channel, pending.toString());
            pending.setLength(0);
            return false;
        }
        if (channel == Channel.REASONING && !reasoned) {
            pending.delete(
                    0, pending.length() - pending.toString().stripLeading().length());
        }
        int at = pending.indexOf(mark);
        if (at >= 0) {
            say(channel, pending.substring(0, at).stripTrailing());
            String space =
                    pending.substring(pending.substring(0, at).stripTrailing().length(), at);
            pending.delete(0, at + mark.length());
            if (channel == Channel.REASONING) {
                cut = true;
                state = State.START;
                reasoned = false;
            } else {
                opened = space + mark;
                state = State.CALL;
            }
            return true;
        }
        int keep = pending.length() - half(mark);
        keep = pending.substring(0, keep).stripTrailing().length();
        if (keep > 0 && channel == Channel.REASONING) {
            reasoned = true;
        }
        say(channel, pending.substring(0, keep));
        pending.delete(0, keep);
        return false;
    }

    /** How many characters at the end may begin the mark. */
    private int half(String mark) {
        for (int length = Math.min(mark.length() - 1, pending.length()); length > 0; length--) {
            if (mark.startsWith(pending.substring(pending.length() - length))) {
                return length;
            }
        }
        return 0;
    }

    private boolean call() {
        int end = callClose.isEmpty() ? -1 : pending.indexOf(callClose);
        if (end < 0) {
            return false;
        }
        String rest = pending.substring(end + callClose.length());
        pending.setLength(end);
        endCall(callClose);
        pending.append(rest);
        return true;
    }

    /** The call is whole, or the answer ended in it. */
    private void endCall(String closed) {
        String body = pending.toString();
        pending.setLength(0);
        ToolFormat format = speech.dialect().tools();
        try {
            if (format == null) {
                throw new IllegalArgumentException("there is no format");
            }
            calls.addAll(format.parse(body, speech.tools()));
            say(Channel.TOOL_CALL, body.strip());
            state = State.START;
        } catch (IllegalArgumentException e) {
            say(Channel.ANSWER, opened + body + closed);
            state = State.ANSWER;
        }
    }
}
