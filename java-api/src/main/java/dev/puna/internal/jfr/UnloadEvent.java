// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A pool unloaded a model. */
@Name("dev.puna.Unload")
@Label("Model Unload")
@Category("Puna")
@Description("A pool of models unloaded one")
public final class UnloadEvent extends Event {
    /** The file. */
    @Label("File")
    public String file = "";

    /** Why: idle, memory or closed. */
    @Label("Reason")
    public String reason = "";

    /** What it counted with. */
    @Label("Memory")
    @DataAmount
    public long bytes;

    /** An event that has not begun. */
    public UnloadEvent() {}
}
