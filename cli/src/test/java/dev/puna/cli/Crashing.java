// SPDX-License-Identifier: Apache-2.0
package dev.puna.cli;

/** A self-test whose first kernel ends the virtual machine. */
final class Crashing {
    private Crashing() {}

    public static void main(String[] first) throws Exception {
        if (first[0].equals("0")) {
            System.out.println("run avx2 rope");
            System.out.flush();
            String own = Long.toString(ProcessHandle.current().pid());
            new ProcessBuilder("kill", "-SEGV", own).start().waitFor();
            Thread.sleep(10_000);
        }
        System.out.println("done");
    }
}
