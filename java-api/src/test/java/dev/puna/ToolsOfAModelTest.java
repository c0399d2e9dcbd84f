// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.puna.testing.Models;
import java.util.List;
import org.junit.jupiter.api.Test;

class ToolsOfAModelTest {
    @Tool("tells the weather of a city")
    String weather(@Param("city") String city) {
        return "rain in " + city;
    }

    @Test
    void aModelWithoutToolsSaysSo() {
        assertThatExceptionOfType(UnsupportedModelException.class)
                .isThrownBy(() -> Models.smollm2()
                        .chat(List.of(Message.user("Hi")))
                        .tools(this)
                        .text())
                .withMessageContaining("takes no tools");
    }
}
