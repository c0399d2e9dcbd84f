// SPDX-License-Identifier: Apache-2.0
package dev.puna.store;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The syntax of {@link ModelReference}. Pure: reads no file; every mistake is an IllegalArgumentException. */
final class ReferenceParser {
    private static final String HUB_SITE = "https://huggingface.co/";
    private static final List<String> TOOLS = List.of("ollama", "lmstudio", "gpt4all", "jan");
    static final String CLASS_PATH = "classpath:";
    static final String PIN = "#sha256=";
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,63}");
    private static final Pattern HUB_PART = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?");
    private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}");
    private static final Pattern QUANTIZATION = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[::1]");
    private static final Pattern PROJECT = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?");
    private static final Pattern VERSION = Pattern.compile("[A-Za-z0-9][A-Za-z0-9.!+_-]{0,63}");
    private static final Pattern WEB = Pattern.compile("https?:", Pattern.CASE_INSENSITIVE);
    private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:.*");

    private static final String PART_MARK = "+pypi:"; // stands between the pieces of a file
    private static final int MOST_PARTS = 1000;

    private ReferenceParser() {}

    static ModelReference parse(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException("the model reference is empty; give a file, a name or owner/repo");
        }
        if (text.chars().anyMatch(Character::isISOControl)) {
            throw wrong(text.replaceAll("\\p{Cntrl}", "?"), "it holds a control character");
        }
        if (text.startsWith("pypi:")) {
            return wheels(text);
        }
        if (text.startsWith("file:")) {
            return fileUri(text);
        }
        if (text.startsWith("hf:")) {
            return hub(text, text.substring(3));
        }
        int colon = text.indexOf(':');
        if (colon > 0 && TOOLS.contains(text.substring(0, colon))) {
            return new ModelReference.Cached(text.substring(0, colon), text.substring(colon + 1));
        }
        if (text.startsWith(HUB_SITE)) {
            return hubAddress(text);
        }
        if (text.startsWith(CLASS_PATH)) {
            return new ModelReference.Resource(text.substring(CLASS_PATH.length()));
        }
        if (WEB.matcher(text).lookingAt()) {
            return web(text);
        }
        if (looksLikePath(text)) {
            return path(text);
        }
        int slash = text.indexOf('/');
        boolean scheme = SCHEME.matcher(text).matches() && text.indexOf(':') < slash;
        return slash < 0 || scheme ? name(text) : hub(text, text);
    }

    static boolean looksLikePath(String text) {
        if (text.startsWith("/") || text.startsWith("~") || text.indexOf('\\') >= 0) {
            return true;
        }
        if (text.equals(".") || text.equals("..") || text.startsWith("./") || text.startsWith("../")) {
            return true;
        }
        if (text.length() >= 2 && text.charAt(1) == ':' && Character.isLetter(text.charAt(0))) {
            return true;
        }
        if (text.indexOf(':') < 0 && isGguf(text)) {
            return true;
        }
        int end = text.length();
        for (char mark : new char[] {'@', ':'}) {
            int at = text.indexOf(mark);
            end = at >= 0 ? Math.min(end, at) : end;
        }
        return text.substring(0, end).chars().filter(c -> c == '/').count() >= 2;
    }

    static boolean isGguf(String text) {
        return text.toLowerCase(Locale.ROOT).endsWith(".gguf");
    }

    static void checkName(String name) {
        if (!NAME.matcher(name).matches()) {
            throw wrong(
                    name,
                    "a catalogue name has lower-case letters, digits, '.', '_' and '-' (for a file write ./" + name
                            + ", for Hugging Face owner/repo)");
        }
    }

    static void checkHub(String repository, String revision, @Nullable String selector) {
        String[] parts = repository.split("/", -1);
        if (parts.length != 2) {
            throw wrong(repository, "a repository is owner/repo");
        }
        for (String part : parts) {
            if (!HUB_PART.matcher(part).matches() || part.contains("--") || part.contains("..")) {
                throw wrong(
                        repository,
                        "'" + part + "' can be no owner or repository of Hugging Face (letters, digits, '-',"
                                + " '_', '.', at most 96, no '--' or '..')");
            }
        }
        if (!REVISION.matcher(revision).matches()
                || revision.contains("..")
                || revision.contains("//")
                || revision.endsWith("/")) {
            throw wrong(repository, "'" + revision + "' can be no revision (a branch, a tag or a commit)");
        }
        if (selector == null) {
            return;
        }
        if (isGguf(selector)) {
            checkMember(repository, selector);
        } else if (!QUANTIZATION.matcher(selector).matches()) {
            throw wrong(
                    repository,
                    "'" + selector + "' after ':' is neither a quantization such as Q8_0 nor a .gguf file"
                            + " of the repository");
        }
    }

    static void checkCached(String tool, String name) {
        if (!TOOLS.contains(tool)) {
            throw wrong(tool + ":" + name, "the tools are " + String.join(", ", TOOLS));
        }
        if (name.length() > 300 || name.endsWith(":") || name.chars().anyMatch(Character::isISOControl)) {
            throw wrong(tool + ":", "what follows is the name of no model");
        }
        checkMember(tool + ":" + name, name);
    }

    static void checkWheel(String project, String version, String member) {
        if (!PROJECT.matcher(project).matches()) {
            throw wrong("pypi:" + project, "'" + project + "' can be no package name");
        }
        if (!VERSION.matcher(version).matches()) {
            throw wrong("pypi:" + project, "'" + version + "' can be no version; one exact version follows '=='");
        }
        checkMember("pypi:" + project, member);
        if (member.contains(PART_MARK)) {
            throw wrong("pypi:" + project, "'" + member + "' can be no path of a file in it");
        }
    }

    static void checkParts(List<ModelReference.WheelMember> parts) {
        if (parts.size() < 2 || parts.size() > MOST_PARTS) {
            throw wrong(
                    parts.isEmpty() ? "pypi:" : parts.getFirst().toString(),
                    "a file in pieces has 2 to " + MOST_PARTS + " of them");
        }
    }

    static void checkResource(String name) {
        checkMember(CLASS_PATH + name, name);
    }

    static void checkWeb(URI address, @Nullable String sha256) {
        String host = address.getHost();
        boolean secure = "https".equalsIgnoreCase(address.getScheme());
        String form = "the form is https://host/path/model.gguf[" + PIN + "64 hex digits]";
        if (address.getRawUserInfo() != null) {
            throw wrong(address.getScheme() + "://" + host + "/...", "a name or password has no place in an address");
        }
        if (host == null || (!secure && !"http".equalsIgnoreCase(address.getScheme()))) {
            throw wrong(address.toString(), form);
        }
        if (address.getRawFragment() != null
                || address.getPath().isEmpty()
                || address.getPath().endsWith("/")) {
            throw wrong(address.toString(), form);
        }
        if (sha256 != null && !Hashes.isSha256(sha256)) {
            throw wrong(address.toString(), form);
        }
        if (!secure && sha256 == null && !LOOPBACK.matcher(host).matches()) {
            throw wrong(
                    address.toString(),
                    "over http anybody on the way could change it; write https, or add " + PIN + "its checksum");
        }
    }

    private static void checkMember(String reference, String member) {
        if (member.isEmpty() || member.startsWith("/") || member.endsWith("/") || member.indexOf('\\') >= 0) {
            throw wrong(reference, "'" + member + "' can be no path of a file in it");
        }
        for (String part : member.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                throw wrong(reference, "'" + member + "' can be no path of a file in it");
            }
        }
    }

    /** One member, or several joined by {@code +}. */
    private static ModelReference wheels(String text) {
        List<ModelReference.WheelMember> parts = new ArrayList<>();
        int begin = 0;
        for (int end = text.indexOf(PART_MARK); end >= 0; end = text.indexOf(PART_MARK, begin)) {
            parts.add(wheel(text.substring(begin, end)));
            begin = end + 1;
        }
        parts.add(wheel(text.substring(begin)));
        return parts.size() == 1 ? parts.getFirst() : new ModelReference.WheelParts(parts);
    }

    private static ModelReference.WheelMember wheel(String text) {
        String body = text.substring("pypi:".length());
        int equal = body.indexOf("==");
        int bang = body.indexOf("!/", Math.max(equal, 0));
        if (equal < 0 || bang < 0) {
            throw wrong(text, "the form is pypi:package==version!/path/in/wheel");
        }
        return new ModelReference.WheelMember(
                body.substring(0, equal), body.substring(equal + 2, bang), body.substring(bang + 2));
    }

    private static ModelReference fileUri(String text) {
        try {
            return new ModelReference.LocalFile(Path.of(new URI(text)));
        } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException e) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no file address (file:///folder/model.gguf): " + e.getMessage(), e);
        }
    }

    private static ModelReference web(String text) {
        int pin = text.indexOf(PIN);
        try {
            return new ModelReference.WebFile(
                    new URI(pin < 0 ? text : text.substring(0, pin)),
                    pin < 0 ? null : text.substring(pin + PIN.length()).toLowerCase(Locale.ROOT));
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no model reference: its address cannot be read (" + e.getReason() + " at "
                            + e.getIndex() + ")",
                    e);
        }
    }

    private static ModelReference path(String text) {
        String expanded = text;
        if (text.startsWith("~")) {
            if (text.length() > 1 && text.charAt(1) != '/' && text.charAt(1) != '\\') {
                throw wrong(text, "only ~/ (this user's own home) is known, no other user's");
            }
            expanded = System.getProperty("user.home", "") + text.substring(1);
        }
        try {
            return new ModelReference.LocalFile(Path.of(expanded));
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("'" + text + "' is no path of this system: " + e.getReason(), e);
        }
    }

    private static ModelReference name(String text) {
        int colon = text.indexOf(':');
        if (colon >= 0) {
            String before = text.substring(0, colon);
            throw wrong(
                    text,
                    "'" + before
                            + ":' is no known scheme (file:, https:, hf:, pypi:, classpath:), and a catalogue name takes nothing"
                            + " after ':'");
        }
        return new ModelReference.Named(text);
    }

    private static ModelReference hub(String text, String body) {
        int colon = body.indexOf(':');
        String head = colon < 0 ? body : body.substring(0, colon);
        String selector = colon < 0 ? null : body.substring(colon + 1);
        if (selector != null && selector.isEmpty()) {
            throw wrong(text, "nothing follows ':'; a quantization or a file of the repository does");
        }
        int at = head.indexOf('@');
        String revision = at < 0 ? ModelReference.HubFile.DEFAULT_REVISION : head.substring(at + 1);
        if (revision.isEmpty()) {
            throw wrong(text, "nothing follows '@'; a branch, a tag or a commit does");
        }
        return new ModelReference.HubFile(at < 0 ? head : head.substring(0, at), revision, selector);
    }

    /**
     * {@code https://huggingface.co/owner/repo[/(blob|resolve)/revision/file | /tree/revision]}, as people paste it.
     */
    private static ModelReference hubAddress(String text) {
        String path = text.substring(HUB_SITE.length());
        int query = path.indexOf('?');
        String[] parts = (query < 0 ? path : path.substring(0, query)).split("/", 5);
        String form = "the form is " + HUB_SITE + "owner/repo[/resolve/revision/file]";
        if (parts.length < 2) {
            throw wrong(text, form);
        }
        String repository = parts[0] + "/" + parts[1];
        if (parts.length == 2 || (parts.length == 3 && parts[2].isEmpty())) {
            return new ModelReference.HubFile(repository, ModelReference.HubFile.DEFAULT_REVISION, null);
        }
        if (parts.length == 4 && parts[2].equals("tree")) {
            return new ModelReference.HubFile(repository, parts[3], null);
        }
        if (parts.length == 5 && (parts[2].equals("blob") || parts[2].equals("resolve")) && isGguf(parts[4])) {
            return new ModelReference.HubFile(repository, parts[3], parts[4]);
        }
        throw wrong(text, form);
    }

    private static IllegalArgumentException wrong(String text, String why) {
        return new IllegalArgumentException("'" + text + "' is no model reference: " + why);
    }
}
