// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.internal.convert.Safetensors.Stored;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A tensor of the GGUF file, and where its numbers come from: rows of one or more stored tensors of one type, which
 * follow each other. Immutable.
 *
 * @param name in the GGUF file
 * @param shape the slowest-varying dimension first
 * @param parts stored one behind the other; empty where `values` has the numbers
 * @param width numbers of a row
 * @param source which of the parts' rows each row is
 * @param added to every number
 * @param decays whether -e^x is written for every number x
 * @param turned whether rows and columns change places, of the one part
 * @param values computed here
 */
record Weight(
        String name,
        List<Long> shape,
        List<Stored> parts,
        long width,
        LongUnaryOperator source,
        double added,
        boolean decays,
        boolean turned,
        float @Nullable [] values) {

    private static final LongUnaryOperator SAME = LongUnaryOperator.identity();

    /** A tensor as it is stored. */
    static Weight of(String name, Stored stored) {
        List<Long> shape = stored.shape().isEmpty() ? List.of(1L) : stored.shape();
        long width = shape.size() < 2 ? 1 : shape.getLast();
        return new Weight(name, shape, List.of(stored), width, SAME, 0, false, false, null);
    }

    /** Tensors of one shape as one with a dimension more. */
    static Weight stacked(String name, List<Stored> parts) {
        Stored first = parts.getFirst();
        for (Stored part : parts) {
            if (!part.shape().equals(first.shape()) || !part.type().equals(first.type())) {
                throw Damage.in(
                        part.file().name(),
                        part.name(),
                        "it has not the shape and type of \"" + Damage.quote(first.name()) + "\"");
            }
        }
        List<Long> shape = new ArrayList<>(first.shape());
        shape.addFirst((long) parts.size());
        return new Weight(name, List.copyOf(shape), List.copyOf(parts), shape.getLast(), SAME, 0, false, false, null);
    }

    /** Numbers that were computed. */
    static Weight computed(String name, float[] values) {
        return new Weight(name, List.of((long) values.length), List.of(), 1, SAME, 0, false, false, values);
    }

    /** Other rows of the parts, in another order: `first` is the new shape's first dimension. */
    Weight rows(long first, LongUnaryOperator from) {
        List<Long> now = new ArrayList<>(shape);
        now.set(0, first);
        return new Weight(name, List.copyOf(now), parts, width, from, added, decays, turned, values);
    }

    Weight reshaped(List<Long> now) {
        return new Weight(name, now, parts, now.size() < 2 ? 1 : now.getLast(), source, added, decays, turned, values);
    }

    Weight plus(double number) {
        return new Weight(name, shape, parts, width, source, number, decays, turned, values);
    }

    /** -e^x of each number x: decays of a recurrent layer, of their logarithms. */
    Weight decaying() {
        return new Weight(name, shape, parts, width, source, added, true, turned, values);
    }

    /** Columns as rows. */
    Weight transposed() {
        return new Weight(
                name, List.of(shape.get(1), shape.get(0)), parts, shape.get(0), source, added, decays, true, values);
    }

    Weight named(String now) {
        return new Weight(now, shape, parts, width, source, added, decays, turned, values);
    }

    boolean isMoved() {
        return source != SAME;
    }

    long elements() {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }

    long rowCount() {
        return elements() / width;
    }

    /** GGUF's order: the fastest-varying dimension first. */
    List<Long> reversedShape() {
        return shape.reversed();
    }
}
