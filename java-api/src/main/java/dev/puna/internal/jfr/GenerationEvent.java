// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A generation ended. */
@Name("dev.puna.Generation")
@Label("Generation")
@Category("Puna")
@StackTrace(false)
@Description("A generation ended")
public final class GenerationEvent extends Event {
    /** Why. */
    @Label("Stop Reason")
    public String stop = "";

    /** Tokens of its prompt. */
    @Label("Prompt Tokens")
    public int promptTokens;

    /** Of those, from the cache. */
    @Label("Cached Tokens")
    public int cachedTokens;

    /** Tokens generated. */
    @Label("Tokens")
    public int tokens;

    /** Tokens guessed ahead and computed. */
    @Label("Drafted Tokens")
    public int draftedTokens;

    /** Of those, right. */
    @Label("Accepted Tokens")
    public int acceptedTokens;

    /** Time in the queue. */
    @Label("Queued")
    @Timespan
    public long queued;

    /** Time from then to the first token. */
    @Label("Prompt Time")
    @Timespan
    public long promptTime;

    /** Time from the first token to the last. */
    @Label("Generation Time")
    @Timespan
    public long generationTime;

    /** An event that has not begun. */
    public GenerationEvent() {}
}
