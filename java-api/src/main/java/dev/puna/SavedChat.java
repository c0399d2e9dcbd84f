// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeClosedException;
import dev.puna.bindings.NativeException;
import dev.puna.bindings.NativeLibrary;
import dev.puna.internal.ChatFile;
import dev.puna.internal.Failures;
import dev.puna.internal.Platform;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restores chats: what is read is compared with the model before a chat is made of it, and what the cache can't use is
 * left out and computed again.
 */
final class SavedChat {
    private static final Logger LOG = LoggerFactory.getLogger(SavedChat.class);

    private SavedChat() {}

    /** Where a saved chat comes from. */
    interface Source {
        /** Opens it. */
        ChatFile open() throws IOException;
    }

    static Chat restore(Context context, String where, Source source) {
        try (ChatFile file = Platform.files("read", source::open)) {
            ChatJson.Saved saved = ChatJson.parse(file.json());
            refuse(context, saved);
            return Chat.restored(context, saved, usable(context, saved) ? file.state() : null);
        } catch (NoSuchFileException e) {
            throw new PunaException("there is no file " + where, e);
        } catch (IOException e) {
            throw new PunaException("the chat " + where + " can't be read: " + e.getMessage(), e);
        } catch (NativeException e) {
            throw of(where, e);
        } catch (NativeClosedException e) {
            throw Failures.of(e);
        } catch (IllegalArgumentException e) {
            throw new PunaException(where + " is no saved chat: " + e.getMessage(), e);
        }
    }

    /** The state is wrong, or there is no room for it. */
    private static RuntimeException of(String where, NativeException e) {
        return switch (e.status()) {
            case INVALID_FILE, INVALID_ARGUMENT, UNSUPPORTED ->
                new PunaException(where + " is no saved chat: " + e.getMessage(), e);
            default -> Failures.of(e);
        };
    }

    private static void refuse(Context context, ChatJson.Saved saved) {
        ModelInfo model = context.provenance().model();
        if (saved.fingerprint() != model.fingerprint()) {
            throw new PunaException("the chat is with another model: "
                    + (saved.modelName().isEmpty() ? "" : saved.modelName() + ", ") + "fingerprint "
                    + Long.toHexString(saved.fingerprint()) + "; this is " + model + ", "
                    + Long.toHexString(model.fingerprint()));
        }
        if (IntStream.of(saved.transcript().ids()).anyMatch(id -> id >= model.vocabulary())) {
            throw new IllegalArgumentException("it has ids that the model does not know");
        }
        if (!saved.template().equals(context.format().fingerprint())) {
            LOG.warn("a restored chat was held in another chat template: what this one writes otherwise is read again");
        }
    }

    /** Whether this context could have written the state. */
    private static boolean usable(Context context, ChatJson.Saved saved) {
        boolean usable = saved.cacheType() == context.provenance().cacheType()
                && saved.arithmetic() == NativeLibrary.arithmeticVersion();
        if (!usable) {
            LOG.info(
                    "a restored chat will be computed again: its keys and values are {}, by version {} of the"
                            + " arithmetic contract",
                    saved.cacheType(),
                    saved.arithmetic());
        }
        return usable;
    }
}
