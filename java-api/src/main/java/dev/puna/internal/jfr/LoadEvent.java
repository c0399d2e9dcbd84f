// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A model was loaded. */
@Name("dev.puna.Load")
@Label("Model Load")
@Category("Puna")
@Description("A model was read and packed")
public final class LoadEvent extends Event {
    /** The file. */
    @Label("File")
    public String file = "";

    /** Its size. */
    @Label("Size")
    @DataAmount
    public long bytes;

    /** Whether it succeeded. */
    @Label("Loaded")
    public boolean loaded;

    /** An event that has not begun. */
    public LoadEvent() {}
}
