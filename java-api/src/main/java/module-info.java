// SPDX-License-Identifier: Apache-2.0
/** Large language models inside a JVM. Start at {@code dev.puna.Model}. */
module dev.puna {
    requires dev.puna.bindings;
    requires java.net.http;
    requires jdk.jfr;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.puna;
    exports dev.puna.convert;
    exports dev.puna.store;
}
