// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.json;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A JSON object's fields, for readers of files: each mistake is an IllegalArgumentException that names the field. */
public final class Fields {
    private final String path;
    private final Map<?, ?> map;

    /**
     * Fields of a value.
     *
     * @param path of the object in the text, with a point at its end; may be empty
     * @param value as {@link Json} read it
     */
    public Fields(String path, @Nullable Object value) {
        this.path = path;
        if (!(value instanceof Map<?, ?> found)) {
            throw new IllegalArgumentException((path.isEmpty() ? "the text" : path) + " is no object");
        }
        this.map = found;
    }

    private <T> T get(String name, Class<T> type) {
        Object value = map.get(name);
        if (!type.isInstance(value)) {
            throw wrong(name, value == null ? "is missing" : "is no " + type.getSimpleName());
        }
        return type.cast(value);
    }

    /**
     * A mistake in a field.
     *
     * @param name of the field
     * @param why what is wrong with it
     * @return to be thrown
     */
    public IllegalArgumentException wrong(String name, String why) {
        return new IllegalArgumentException(path + name + " " + why);
    }

    /**
     * Refuses a form that is not known.
     *
     * @param name of the field that has the form's version
     * @param known the version that is
     */
    public void needVersion(String name, int known) {
        int version = integer(name);
        if (version != known) {
            throw new IllegalArgumentException(
                    "it has version " + version + ", which this library does not know; it knows " + known);
        }
    }

    /** {@return a text} */
    public String text(String name) {
        return get(name, String.class);
    }

    /** {@return whether the field is there} */
    public boolean has(String name) {
        return map.containsKey(name);
    }

    /** {@return whether the field is there, and null} */
    public boolean isNull(String name) {
        return map.containsKey(name) && map.get(name) == null;
    }

    /** {@return a truth value} */
    public boolean truth(String name) {
        return get(name, Boolean.class);
    }

    /** {@return a number that a float holds} */
    public float real(String name) {
        float value = get(name, Number.class).floatValue();
        if (!Float.isFinite(value)) {
            throw wrong(name, "is beyond what a float holds");
        }
        return value;
    }

    /** {@return a whole number of 32 bits} */
    public int integer(String name) {
        return whole(name, get(name, Number.class));
    }

    private int whole(String name, @Nullable Object value) {
        if (!(value instanceof Long number) || number != number.intValue()) {
            throw wrong(name, "holds something that is no 32-bit number");
        }
        return number.intValue();
    }

    /** {@return a number of 64 bits, written as a text} */
    public long decimal(String name) {
        try {
            return Long.parseLong(text(name));
        } catch (NumberFormatException e) {
            throw wrong(name, "is no 64-bit number");
        }
    }

    /** {@return a number of 64 bits, written as a text in hexadecimal} */
    public long hexadecimal(String name) {
        try {
            return Long.parseUnsignedLong(text(name), 16);
        } catch (NumberFormatException e) {
            throw wrong(name, "is no 64-bit number in hexadecimal");
        }
    }

    /** {@return whole numbers of 32 bits} */
    public int[] integers(String name) {
        List<?> list = get(name, List.class);
        int[] result = new int[list.size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = whole(name, list.get(i));
        }
        return result;
    }

    /** {@return texts} */
    public List<String> texts(String name) {
        List<String> result = new ArrayList<>();
        for (Object item : get(name, List.class)) {
            if (!(item instanceof String text)) {
                throw wrong(name, "holds something that is no text");
            }
            result.add(text);
        }
        return result;
    }

    /** {@return an object whose names are the writer's own} */
    @SuppressWarnings("unchecked") // what Json reads has texts as names
    public Map<String, ?> values(String name) {
        return (Map<String, ?>) get(name, Map.class);
    }

    /** {@return an object} */
    public Fields fields(String name) {
        return new Fields(path + name + ".", map.get(name));
    }

    /** {@return objects} */
    public List<Fields> list(String name) {
        List<Fields> result = new ArrayList<>();
        for (Object item : get(name, List.class)) {
            result.add(new Fields(path + name + "[" + result.size() + "].", item));
        }
        return result;
    }
}
