// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import java.util.List;

/**
 * What a model computes on.
 *
 * <pre>{@code
 * Model.builder("smollm2").device(Device.best()).load();
 * Device.all().forEach(System.out::println);
 * }</pre>
 *
 * This version computes on the processor alone; code that asks for {@link #best()} will use what later ones add. The
 * same model, prompt and seed give the same tokens on every processor, though not on every kind of device. Immutable;
 * two devices are equal when they have the same name; any thread.
 */
public final class Device {
    private static final String CPU = "cpu";

    private final String name;
    private final Machine machine;

    private Device(String name, Machine machine) {
        this.name = name;
        this.machine = machine;
    }

    /**
     * The processor.
     *
     * @return the device
     * @throws NativeLibraryException if Puna's library can't be loaded
     */
    public static Device cpu() {
        return new Device(CPU, Machine.current());
    }

    /**
     * Every device of this machine that models can run on.
     *
     * @return the devices, the best one first
     * @throws NativeLibraryException if Puna's library can't be loaded
     */
    public static List<Device> all() {
        return List.of(cpu());
    }

    /**
     * The device that a model runs on unless told otherwise.
     *
     * @return the first of {@link #all()}
     * @throws NativeLibraryException if Puna's library can't be loaded
     */
    public static Device best() {
        return all().getFirst();
    }

    /**
     * The device of a name, as a configuration gives it.
     *
     * @param name for example {@code cpu}
     * @return the device
     * @throws IllegalArgumentException if this machine has none of that name; the message says which it has
     * @throws NativeLibraryException if Puna's library can't be loaded
     */
    public static Device named(String name) {
        List<Device> all = all();
        return all.stream()
                .filter(d -> d.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("this machine has no device '" + name + "'; it has "
                        + String.join(", ", all.stream().map(Device::name).toList())));
    }

    /** {@return the name that {@link #named} knows} */
    public String name() {
        return name;
    }

    /** {@return bytes of memory, as they were when the device was asked for} */
    public long memory() {
        return machine.memory();
    }

    /** {@return bytes of memory that were free when the device was asked for} */
    public long freeMemory() {
        return machine.freeMemory();
    }

    /** {@return the kernels in use, for example {@code avx2}} */
    public String tier() {
        return machine.tier();
    }

    /** {@return all kernels that it could run, from low to high} */
    public List<String> tiers() {
        return machine.tiers();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Device device && name.equals(device.name);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    @Override
    public String toString() {
        return name + " (" + machine + ")";
    }
}
