// SPDX-License-Identifier: Apache-2.0
/** The command line. */
module dev.puna.cli {
    requires dev.puna;
    requires info.picocli;
    requires java.logging;
    requires org.jline.reader;
    requires org.jline.terminal;
    requires tools.jackson.core;
    requires static org.jspecify;

    opens dev.puna.cli to
            info.picocli;
}
