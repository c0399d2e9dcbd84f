// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** An engine did one round. */
@Name("dev.puna.Step")
@Label("Engine Step")
@Category("Puna")
@StackTrace(false)
@Description("One round of an engine: a token for each running sequence and slices of prompts")
public final class StepEvent extends Event {
    /** Sequences that took part. */
    @Label("Sequences")
    public int sequences;

    /** Prompt tokens computed. */
    @Label("Prompt Tokens")
    public int promptTokens;

    /** Tokens generated. */
    @Label("Tokens")
    public int tokens;

    /** Sequences with work left. */
    @Label("Active")
    public int active;

    /** An event that has not begun. */
    public StepEvent() {}
}
