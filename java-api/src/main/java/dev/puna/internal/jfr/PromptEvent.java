// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A prompt was taken in by an engine. */
@Name("dev.puna.Prompt")
@Label("Prompt")
@Category("Puna")
@StackTrace(false)
@Description("A request was taken in by an engine; it may still wait for a place in the batch")
public final class PromptEvent extends Event {
    /** Tokens of the prompt. */
    @Label("Tokens")
    public int tokens;

    /** Requests that the engine has now, this one included. */
    @Label("Requests")
    public int requests;

    /** An event that has not begun. */
    public PromptEvent() {}
}
