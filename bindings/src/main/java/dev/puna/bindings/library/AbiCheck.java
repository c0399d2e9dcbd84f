// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.library;

import dev.puna.bindings.gen.puna_adapter_info;
import dev.puna.bindings.gen.puna_adapter_use;
import dev.puna.bindings.gen.puna_bias;
import dev.puna.bindings.gen.puna_ceilings;
import dev.puna.bindings.gen.puna_cpu;
import dev.puna.bindings.gen.puna_embedding;
import dev.puna.bindings.gen.puna_engine_info;
import dev.puna.bindings.gen.puna_engine_options;
import dev.puna.bindings.gen.puna_error;
import dev.puna.bindings.gen.puna_event;
import dev.puna.bindings.gen.puna_generation;
import dev.puna.bindings.gen.puna_input;
import dev.puna.bindings.gen.puna_kernel_test;
import dev.puna.bindings.gen.puna_log_entry;
import dev.puna.bindings.gen.puna_logprob;
import dev.puna.bindings.gen.puna_memory_plan;
import dev.puna.bindings.gen.puna_metadata;
import dev.puna.bindings.gen.puna_model_info;
import dev.puna.bindings.gen.puna_model_options;
import dev.puna.bindings.gen.puna_part;
import dev.puna.bindings.gen.puna_profile;
import dev.puna.bindings.gen.puna_profile_row;
import dev.puna.bindings.gen.puna_stage;
import dev.puna.bindings.gen.puna_step;
import dev.puna.bindings.gen.puna_tensor;
import dev.puna.bindings.gen.puna_text;
import dev.puna.bindings.gen.puna_token;
import dev.puna.bindings.gen.puna_tokenizer_info;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Compares what the bindings were generated for with what a library says of itself, before any other call. */
final class AbiCheck {
    /** The number that the bindings were generated for. */
    static final int ABI = 1;

    /** The structs that cross the boundary, all of them. */
    static final List<MemoryLayout> STRUCTS = List.of(
            puna_adapter_info.layout(),
            puna_adapter_use.layout(),
            puna_ceilings.layout(),
            puna_cpu.layout(),
            puna_embedding.layout(),
            puna_engine_info.layout(),
            puna_engine_options.layout(),
            puna_error.layout(),
            puna_event.layout(),
            puna_generation.layout(),
            puna_input.layout(),
            puna_kernel_test.layout(),
            puna_log_entry.layout(),
            puna_logprob.layout(),
            puna_memory_plan.layout(),
            puna_metadata.layout(),
            puna_model_info.layout(),
            puna_model_options.layout(),
            puna_part.layout(),
            puna_profile.layout(),
            puna_profile_row.layout(),
            puna_bias.layout(),
            puna_stage.layout(),
            puna_step.layout(),
            puna_tensor.layout(),
            puna_text.layout(),
            puna_token.layout(),
            puna_tokenizer_info.layout());

    private static final AddressLayout TEXT =
            ValueLayout.ADDRESS.withTargetLayout(MemoryLayout.sequenceLayout(Long.MAX_VALUE, ValueLayout.JAVA_BYTE));

    private AbiCheck() {}

    /** Says what does not fit. */
    static final class MismatchException extends Exception {
        private static final long serialVersionUID = 1L;

        MismatchException(String message) {
            super(message);
        }
    }

    /**
     * Checks a library.
     *
     * @return its version
     * @throws MismatchException if it is not one that these bindings can call
     */
    static String check(SymbolLookup symbols) throws MismatchException {
        int abi = (int) call(symbols, "puna_abi", FunctionDescriptor.of(ValueLayout.JAVA_INT));
        String version = text(symbols, "puna_version");
        if (abi != ABI) {
            throw new MismatchException("the library is version " + version + " with ABI " + abi
                    + ", these bindings need ABI " + ABI + "; use bindings and natives of one version");
        }
        compare(text(symbols, "puna_abi_layout"), STRUCTS);
        return version;
    }

    /**
     * Compares layouts.
     *
     * @param table the library's: a line each, {@code name size field@offset ...}
     * @param structs ours
     */
    static void compare(String table, List<MemoryLayout> structs) throws MismatchException {
        Map<String, String> theirs = new HashMap<>();
        table.lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(line -> {
            int space = line.indexOf(' ');
            theirs.put(space < 0 ? line : line.substring(0, space), line);
        });
        for (MemoryLayout struct : structs) {
            String name = struct.name().orElseThrow();
            String line = theirs.get(name);
            String ours = describe((StructLayout) struct);
            if (line == null) {
                throw new MismatchException("the library does not know the struct " + name);
            }
            if (!canonical(line).equals(canonical(ours))) {
                throw new MismatchException("the struct " + name + " differs: the library has \"" + line
                        + "\", the bindings have \"" + ours + "\"");
            }
        }
    }

    /** A struct in the table's words. */
    static String describe(StructLayout struct) {
        StringBuilder line = new StringBuilder(struct.name().orElseThrow());
        line.append(' ').append(struct.byteSize());
        for (MemoryLayout member : struct.memberLayouts()) {
            member.name()
                    .ifPresent(field -> line.append(' ')
                            .append(field)
                            .append('@')
                            .append(struct.byteOffset(PathElement.groupElement(field))));
        }
        return line.toString();
    }

    /** The order of fields does not matter. */
    private static Map<String, String> canonical(String line) {
        String[] words = line.split("\\s+");
        Map<String, String> fields = new TreeMap<>();
        fields.put("size", words.length > 1 ? words[1] : "");
        for (int i = 2; i < words.length; i++) {
            int at = words[i].indexOf('@');
            fields.put("field " + (at < 0 ? words[i] : words[i].substring(0, at)), words[i].substring(at + 1));
        }
        return fields;
    }

    private static String text(SymbolLookup symbols, String name) throws MismatchException {
        MemorySegment text = (MemorySegment) call(symbols, name, FunctionDescriptor.of(TEXT));
        if (text.equals(MemorySegment.NULL)) {
            throw new MismatchException(name + " gave nothing");
        }
        return text.getString(0);
    }

    private static Object call(SymbolLookup symbols, String name, FunctionDescriptor shape) throws MismatchException {
        MemorySegment function = symbols.find(name)
                .orElseThrow(() -> new MismatchException("it is no Puna library: it lacks the function " + name));
        try {
            return Linker.nativeLinker().downcallHandle(function, shape).invoke();
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e); // a downcall has nothing of its own to throw
        }
    }
}
