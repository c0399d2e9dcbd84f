// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import dev.puna.bindings.NativeException;
import dev.puna.bindings.NativeGrammar;
import dev.puna.bindings.NativeStatus;
import dev.puna.bindings.NativeTokenizer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A model's compiled grammars: the ones used last are kept, with the masks of tokens that they have found out, so that
 * a request with a known schema costs nothing to prepare. Any thread.
 */
public final class Grammars {
    private static final int KEPT = 32;

    private final NativeTokenizer tokenizer;
    private final Map<String, NativeGrammar> known = new LinkedHashMap<>(16, .75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, NativeGrammar> eldest) {
            return size() > KEPT;
        }
    };

    /**
     * None yet.
     *
     * @param tokenizer of the model
     */
    public Grammars(NativeTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * The compiled grammar of a text.
     *
     * @param text in the core's notation
     * @return an old or a new one
     * @throws IllegalArgumentException with the place of what is wrong
     */
    public NativeGrammar of(String text) {
        synchronized (known) {
            NativeGrammar old = known.get(text);
            if (old != null) {
                return old;
            }
        }
        NativeGrammar made = compile(text);
        synchronized (known) {
            NativeGrammar old = known.putIfAbsent(text, made);
            return old != null ? old : made;
        }
    }

    private NativeGrammar compile(String text) {
        return Failures.mapped(() -> {
            try {
                return Thread.currentThread().isVirtual()
                        ? Platform.call("grammar", () -> NativeGrammar.compile(tokenizer, text), () -> {})
                        : NativeGrammar.compile(tokenizer, text);
            } catch (NativeException e) {
                if (e.status() == NativeStatus.UNSUPPORTED) { // what the text says, not what the model is
                    throw new IllegalArgumentException(e.getMessage(), e);
                }
                throw e;
            }
        });
    }
}
