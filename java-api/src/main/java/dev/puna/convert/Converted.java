// SPDX-License-Identifier: Apache-2.0
package dev.puna.convert;

import java.nio.file.Path;

/** What came of a conversion. Immutable. */
public final class Converted {
    private final Path file;
    private final String architecture;
    private final WeightType type;
    private final int tensors;
    private final long parameters;

    Converted(Path file, String architecture, WeightType type, int tensors, long parameters) {
        this.file = file;
        this.architecture = architecture;
        this.type = type;
        this.tensors = tensors;
        this.parameters = parameters;
    }

    /** {@return the GGUF file} */
    public Path file() {
        return file;
    }

    /** {@return what GGUF calls the family: "llama"} */
    public String architecture() {
        return architecture;
    }

    /** {@return the type of most weights; never {@link WeightType#SOURCE}} */
    public WeightType type() {
        return type;
    }

    /** {@return how many tensors the file has} */
    public int tensors() {
        return tensors;
    }

    /** {@return how many numbers they have together} */
    public long parameters() {
        return parameters;
    }

    @Override
    public String toString() {
        return file + ": " + architecture + ", " + type + ", " + parameters + " parameters";
    }
}
