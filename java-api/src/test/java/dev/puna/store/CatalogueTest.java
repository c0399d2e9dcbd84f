// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.puna.ModelNotFoundException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CatalogueTest {
    @Test
    void theDefaultHasSeveralSourcesAndOneChecksum() {
        Catalogue.Entry entry = Catalogue.standard().get("smollm2");
        assertThat(entry.size()).isEqualTo(98_362_432);
        assertThat(entry.sha256()).hasSize(64);
        assertThat(entry.about()).contains("very small model");
        assertThat(entry.sources()).hasSize(2);
        assertThat(entry.sources().get(0)).isInstanceOf(ModelReference.HubFile.class);
        assertThat(entry.sources().get(1)).isInstanceOf(ModelReference.WheelMember.class);
    }

    @Test
    void everyEntryIsDescribedAndNamesItsFile() {
        assertThat(Catalogue.standard().entries()).hasSizeGreaterThan(3).allSatisfy(entry -> {
            assertThat(entry.about()).isNotEmpty();
            assertThat(entry.licence()).isNotEmpty();
            assertThat(entry.sources()).allSatisfy(s -> assertThat(s.toString()).matches(".*\\.gguf(\\.part[0-9]+)?"));
        });
    }

    @Test
    void anUnknownNameGetsTheKnownOnes() {
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> Catalogue.standard().get("nothing"))
                .withMessageContaining("'nothing'")
                .withMessageContaining("smollm2");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "source = o/r:a.gguf | line 1",
                "[Name] | line 1",
                "[a]/b = c | line 2",
                "[a]/source = o%r/[a]/source = o%r | line 3",
                "[a]/source = ./file.gguf | line 2",
                "[a]/about = x | line 1",
                "[a]/source = o-r | line 2",
                "[a]/sha256 = 12/source = o%r | line 1",
                "[a]/source = o%r/source = o%s | line 1",
                "[a]/size = 0/source = o%r | line 1",
                "[a]/size = big/source = o%r | line 1",
                "[a]/size = 1/size = 2/source = o%r | line 3",
            })
    void mistakesAreToldWithTheirLine(String text, String where) {
        String lines = text.strip().replace('/', '\n').replace('%', '/');
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Catalogue.parse(lines))
                .withMessageContaining(where);
    }
}
