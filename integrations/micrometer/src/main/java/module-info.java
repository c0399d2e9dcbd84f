// SPDX-License-Identifier: Apache-2.0
/** Meters of Puna's models, contexts and pools for Micrometer. */
module dev.puna.micrometer {
    requires transitive dev.puna;
    requires transitive micrometer.core;
    requires static transitive org.jspecify;

    exports dev.puna.micrometer;
}
