// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal;

import dev.puna.ClosedException;
import dev.puna.bindings.NativeException;
import dev.puna.bindings.NativeGrammar;
import dev.puna.bindings.NativeStatus;
import dev.puna.bindings.NativeTokenizer;
import java.util.LinkedHashMap;
import java.util.List;
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

    private boolean closed; // guarded by known

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
     * @throws ClosedException if the model was closed
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
            if (!closed) {
                NativeGrammar old = known.putIfAbsent(text, made);
                return old != null ? old : made;
            }
        }
        made.close();
        throw new ClosedException("the model is closed");
    }

    /** Gives back what was compiled; generations that run keep theirs. */
    public void close() {
        List<NativeGrammar> all;
        synchronized (known) {
            closed = true;
            all = List.copyOf(known.values());
            known.clear();
        }
        all.forEach(NativeGrammar::close);
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
