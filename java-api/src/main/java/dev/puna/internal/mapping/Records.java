// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A user's record: its components, read and put together by its canonical constructor. Immutable; any thread. */
final class Records {
    private final Class<?> type;
    private final Constructor<?> constructor;
    private final List<Component> components;

    private Records(Class<?> type, Constructor<?> constructor, List<Component> components) {
        this.type = type;
        this.constructor = constructor;
        this.components = components;
    }

    /** A component, and its accessor. */
    record Component(RecordComponent component, Method accessor) {
        String name() {
            return component.getName();
        }

        Type type() {
            return component.getGenericType();
        }

        AnnotatedElement element() {
            return component;
        }

        AnnotatedType annotated() {
            return component.getAnnotatedType();
        }

        @Nullable
        Object get(Object record) {
            try {
                return accessor.invoke(record);
            } catch (InvocationTargetException e) {
                throw new IllegalArgumentException(record.getClass().getSimpleName() + "." + name() + "() failed", e);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e); // it was made accessible
            }
        }
    }

    static Records of(Class<?> type) {
        RecordComponent[] parts = type.getRecordComponents();
        Class<?>[] types = Stream.of(parts).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            open(constructor, type);
            List<Component> components = Stream.of(parts)
                    .map(part -> {
                        open(part.getAccessor(), type);
                        return new Component(part, part.getAccessor());
                    })
                    .toList();
            return new Records(type, constructor, components);
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException("a record without its constructor: " + type.getName(), e);
        }
    }

    /**
     * Makes something of a user's callable from here.
     *
     * @throws IllegalArgumentException with the line that is missing in the user's module
     */
    static void open(AccessibleObject member, Class<?> type) {
        if (!member.trySetAccessible()) {
            Module module = type.getModule();
            throw new IllegalArgumentException("Puna may not use " + type.getName() + ": add `opens "
                    + type.getPackageName() + " to " + Records.class.getModule().getName()
                    + ";` to the module-info of " + module.getName());
        }
    }

    List<Component> components() {
        return components;
    }

    /** What the constructor itself refuses, is refused with its words. */
    Object make(@Nullable Object[] values) {
        try {
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            throw new IllegalArgumentException(
                    type.getSimpleName() + " refuses its values: "
                            + e.getTargetException().getMessage(),
                    e.getTargetException());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a record that can't be made: " + type.getName(), e);
        }
    }
}
