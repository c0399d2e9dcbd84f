// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.ReadOnlyFileSystemException;

/** Why input or output failed, in a few words without a class name. */
final class Reasons {
    private Reasons() {}

    static String of(Throwable failure) {
        for (Throwable f = failure; f != null; f = f.getCause()) {
            if (f instanceof UnknownHostException || f instanceof UnresolvedAddressException) {
                return "its address is not known here (no network?)";
            }
        }
        String message = failure.getMessage();
        return switch (failure) {
            case HttpConnectTimeoutException _ -> "it could not be connected in time";
            case HttpTimeoutException _ -> "it did not answer in time";
            case ConnectException _ -> "the connection was refused";
            case AccessDeniedException _ -> "permission denied";
            case NoSuchFileException e -> e.getFile() + " does not exist";
            case NotDirectoryException e -> e.getFile() + " is not a folder";
            case FileAlreadyExistsException e -> e.getFile() + " is not a folder";
            case ReadOnlyFileSystemException _ -> "the file system is read-only";
            case FileSystemException e when e.getReason() != null -> e.getReason();
            case IOException _ when message != null && !message.isBlank() -> message;
            default -> failure.getClass().getSimpleName() + (message == null ? "" : ": " + message);
        };
    }
}
