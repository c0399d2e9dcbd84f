// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import dev.puna.ModelNotFoundException;
import dev.puna.internal.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The GGUF files of a repository, and which of them a quantization means. Immutable.
 *
 * @param commit what the revision stands for, or null when the hub did not say
 * @param files paths in the repository
 */
record HubListing(@Nullable String commit, List<String> files) {
    /**
     * What is taken when a reference names no quantization and the repository has several: about four bits first, then
     * closer to the original.
     */
    private static final List<String> USUAL =
            List.of("Q4_0", "Q4_1", "Q8_0", "BF16", "F16", "F32", "Q4_K_M", "Q5_K_M", "Q6_K", "Q4_K_S");

    static HubListing parse(String json) {
        if (!(Json.parse(json) instanceof Map<?, ?> model) || !(model.get("siblings") instanceof List<?> siblings)) {
            throw new IllegalArgumentException("no list of files in it");
        }
        List<String> files = new ArrayList<>();
        for (Object sibling : siblings) {
            if (sibling instanceof Map<?, ?> file && file.get("rfilename") instanceof String name) {
                files.add(name);
            }
        }
        return new HubListing(model.get("sha") instanceof String sha && Hashes.isCommit(sha) ? sha : null, files);
    }

    /** The file that a reference without a file name means; a sentence with the choices when none or several do. */
    String choose(ModelReference.HubFile reference) {
        List<String> models = files.stream().filter(HubListing::isModel).toList();
        String quantization = reference.selector();
        List<String> fitting = models;
        if (quantization != null) {
            fitting = matching(models, quantization);
        } else if (models.size() > 1) {
            for (String usual : USUAL) {
                List<String> some = matching(models, usual);
                if (some.size() == 1) {
                    fitting = some;
                    break;
                }
            }
        }
        if (fitting.size() == 1) {
            return fitting.getFirst();
        }
        throw new ModelNotFoundException(reference.repository()
                + (models.isEmpty()
                        ? " holds no GGUF file; Puna reads GGUF (many repositories have a sibling whose name ends with -GGUF)"
                        : fitting.isEmpty()
                                ? " holds no file of quantization " + quantization + "; it has " + some(models)
                                : " holds several files that fit; write one after ':': " + some(fitting)));
    }

    private static List<String> matching(List<String> models, String quantization) {
        Pattern whole =
                Pattern.compile("(^|[-._/])" + Pattern.quote(quantization) + "($|[-./])", Pattern.CASE_INSENSITIVE);
        return models.stream()
                .filter(f -> whole.matcher(f.substring(0, f.length() - 5)).find())
                .toList();
    }

    /** Models proper: no projector, no importance matrix, and of a split file the first piece. */
    private static boolean isModel(String file) {
        String lower = file.toLowerCase(Locale.ROOT);
        String name = lower.substring(lower.lastIndexOf('/') + 1);
        boolean later = SplitName.of(lower)
                .filter(split -> !lower.equals(split.part(1)))
                .isPresent();
        return ReferenceParser.isGguf(lower) && !name.startsWith("mmproj") && !name.contains("imatrix") && !later;
    }

    private static String some(List<String> files) {
        int shown = Math.min(files.size(), 12);
        return String.join(", ", files.subList(0, shown)) + (shown < files.size() ? ", ..." : "");
    }
}
