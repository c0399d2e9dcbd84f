// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

/** How numbers lie in a GGUF file, of the types that are written. */
public enum NumberType {
    /** 32 bits. */
    F32(0, 0, 1, 4),
    /** 16 bits. */
    F16(1, 1, 1, 2),
    /** 16 bits, the upper half of 32. */
    BF16(30, 32, 1, 2),
    /** 8 bits, 32 numbers a scale. */
    Q8_0(8, 7, 32, 34),
    /** 4 bits, 32 numbers a scale. */
    Q4_0(2, 2, 32, 18),
    /** 4 bits, 32 numbers a scale and a minimum. */
    Q4_1(3, 3, 32, 20),
    /** 5 bits, 32 numbers a scale. */
    Q5_0(6, 8, 32, 22),
    /** 5 bits, 32 numbers a scale and a minimum. */
    Q5_1(7, 9, 32, 24);

    private final int number;
    private final int fileType;
    private final int length;
    private final int size;

    NumberType(int number, int fileType, int length, int size) {
        this.number = number;
        this.fileType = fileType;
        this.length = length;
        this.size = size;
    }

    int number() {
        return number;
    }

    /** What general.file_type says of a file of which most is this. */
    int fileType() {
        return fileType;
    }

    /** Numbers a block. */
    int length() {
        return length;
    }

    long bytes(long count) {
        return count / length * size;
    }

    boolean isQuantized() {
        return length > 1;
    }
}
