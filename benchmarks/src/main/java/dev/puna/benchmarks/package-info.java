// SPDX-License-Identifier: Apache-2.0
/** What Java adds to a token, by JMH. */
package dev.puna.benchmarks;
