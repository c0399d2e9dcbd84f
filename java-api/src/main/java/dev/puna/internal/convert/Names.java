// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A family's names of tensors: what transformers calls them, what llama.cpp does. A table is lines of "theirs ours"; a
 * line whose second word is "-" is left out of the file, one with a "*" in the first matches an expert's number.
 */
final class Names {
    private final String prefixes;
    private final Pattern layer;
    private final Map<String, String> top = new HashMap<>();
    private final Map<String, String> parts = new HashMap<>();
    private final Map<Pattern, String> experts = new HashMap<>();

    /**
     * A tensor's place.
     *
     * @param part ours, without layer and kind: "attn_q"
     * @param block the layer, -1 for none
     * @param name ours, whole
     * @param kind "weight" or "bias"
     * @param expert its number, -1 for none
     */
    record Place(String part, int block, String name, String kind, int expert) {
        boolean is(String... any) {
            return List.of(any).contains(part);
        }
    }

    /** What is known and left out. */
    static final Place DROPPED = new Place("-", -1, "", "", -1);

    private final String blocks;

    /**
     * A table.
     *
     * @param prefixes a pattern of what may stand in front of all names
     * @param layers what stands before a layer's number: "layers"
     * @param blocks ours for that: "blk"
     */
    Names(String prefixes, String layers, String blocks, String top, String parts) {
        this.prefixes = "^(?:" + prefixes + ")?";
        this.layer = Pattern.compile(layers + "\\.(\\d{1,5})\\.(.+)");
        this.blocks = blocks;
        add(top, this.top);
        add(parts, this.parts);
    }

    private void add(String table, Map<String, String> to) {
        table.lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(line -> {
            String[] words = line.split(" +");
            if (words[0].contains("*")) {
                experts.put(Pattern.compile(Pattern.quote(words[0]).replace("*", "\\E(\\d{1,5})\\Q")), words[1]);
            } else {
                to.put(words[0], words[1]);
            }
        });
    }

    /** Another family's table that has more, or other, parts of a layer. */
    static String and(String table, String more) {
        return table + "\n" + more;
    }

    /** The place, {@link #DROPPED}, or null for a name that is not known. */
    @Nullable
    Place find(String theirs) {
        String name = theirs.replaceFirst(prefixes, "");
        int point = name.lastIndexOf('.');
        String kind = name.substring(point + 1);
        String stem = name;
        if (kind.equals("weight") || kind.equals("bias")) {
            stem = name.substring(0, point);
        } else if (kind.equals("gamma") || kind.equals("beta")) { // how BERT's norms were once called
            stem = name.substring(0, point);
            kind = kind.equals("gamma") ? "weight" : "bias";
        } else {
            kind = "weight";
        }
        String ours = top.get(stem);
        if (ours != null) {
            return ours.equals("-") ? DROPPED : new Place(ours, -1, ours + "." + kind, kind, -1);
        }
        Matcher found = layer.matcher(stem);
        return found.matches() ? inLayer(Integer.parseInt(found.group(1)), found.group(2), kind) : null;
    }

    private @Nullable Place inLayer(int block, String part, String kind) {
        String ours = parts.get(part);
        int expert = -1;
        if (ours == null) {
            for (Map.Entry<Pattern, String> row : experts.entrySet()) {
                Matcher found = row.getKey().matcher(part);
                if (found.matches()) {
                    ours = row.getValue();
                    expert = Integer.parseInt(found.group(1));
                }
            }
        }
        if (ours == null) {
            return null;
        }
        return ours.equals("-")
                ? DROPPED
                : new Place(ours, block, blocks + "." + block + "." + ours + "." + kind, kind, expert);
    }
}
