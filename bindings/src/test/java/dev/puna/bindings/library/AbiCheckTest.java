// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_error;
import dev.puna.bindings.gen.puna_text;
import java.io.IOException;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AbiCheckTest {
    private static final List<MemoryLayout> TEXT = List.of(puna_text.layout());

    @Test
    void theBuiltLibraryFits() {
        assertThat(NativeLoader.load(null).version()).isNotEmpty();
        assertThat(AbiCheck.ABI).isEqualTo(PunaH.PUNA_ABI());
    }

    @Test
    void everyStructOfTheHeaderIsCompared() throws IOException {
        Path sources = Path.of(System.getProperty("puna.root"), "bindings/src/main/java/dev/puna/bindings/gen");
        List<String> structs = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(sources, "puna_*.java")) {
            files.forEach(file -> structs.add(file.getFileName().toString().replace(".java", "")));
        }
        assertThat(AbiCheck.STRUCTS)
                .extracting(layout -> layout.name().orElseThrow())
                .containsExactlyInAnyOrderElementsOf(structs);
    }

    @Test
    void equalLayoutsPassInAnyOrder() {
        assertThatCode(() -> AbiCheck.compare("puna_text 16 length@8 text@0\n", TEXT))
                .doesNotThrowAnyException();
        assertThatCode(() -> AbiCheck.compare("other 1\n\n  puna_text 16 text@0 length@8", TEXT))
                .doesNotThrowAnyException();
    }

    @Test
    void anyDifferenceIsNamed() {
        for (String table : List.of(
                "puna_text 24 text@0 length@8",
                "puna_text 16 text@8 length@0",
                "puna_text 16 text@0",
                "puna_text 16 text@0 length@8 more@16",
                "puna_text")) {
            assertThatThrownBy(() -> AbiCheck.compare(table, TEXT))
                    .isInstanceOf(AbiCheck.MismatchException.class)
                    .hasMessageContaining("puna_text")
                    .hasMessageContaining(table);
        }
        assertThatThrownBy(() -> AbiCheck.compare("", TEXT)).hasMessageContaining("does not know the struct puna_text");
    }

    @Test
    void aStructIsDescribedWithAllItsFields() {
        assertThat(AbiCheck.describe((StructLayout) puna_error.layout()))
                .isEqualTo("puna_error 800 size@0 status@4 offset@8 needed@16 available@24 subject@32 message@288");
    }
}
