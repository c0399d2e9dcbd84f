// SPDX-License-Identifier: Apache-2.0
package dev.puna.convert;

import dev.puna.internal.convert.NumberType;
import org.jspecify.annotations.Nullable;

/** How a GGUF file keeps a model's matrices. Norms, biases and positions are F32 in all of them. */
public enum WeightType {
    /** As the folder has them: nothing is lost. */
    SOURCE(null),
    /** 32 bits a number. */
    F32(NumberType.F32),
    /** 16 bits a number; what is beyond 65504 is refused. */
    F16(NumberType.F16),
    /** 16 bits a number, the range of F32. */
    BF16(NumberType.BF16),
    /** 8.5 bits a number: int8 with a scale for each 32. */
    Q8_0(NumberType.Q8_0),
    /** 4.5 bits a number, the output matrix Q8_0. */
    Q4_0(NumberType.Q4_0),
    /** 5 bits a number, with a minimum for each 32, the output matrix Q8_0. */
    Q4_1(NumberType.Q4_1),
    /** 5.5 bits a number, the output matrix Q8_0. */
    Q5_0(NumberType.Q5_0),
    /** 6 bits a number, with a minimum for each 32, the output matrix Q8_0. */
    Q5_1(NumberType.Q5_1);

    private final @Nullable NumberType type;

    WeightType(@Nullable NumberType type) {
        this.type = type;
    }

    @Nullable
    NumberType type() {
        return type;
    }
}
