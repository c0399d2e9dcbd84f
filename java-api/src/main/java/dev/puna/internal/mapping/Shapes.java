// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.mapping;

import dev.puna.Description;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Array;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SequencedCollection;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds the shapes of types. One thread; the shapes it gave may be used by any. */
final class Shapes {
    private final Map<Typed, Shape> known = new HashMap<>();

    /**
     * The shape of a type.
     *
     * @throws IllegalArgumentException with the type, if it has none
     */
    Shape of(Type type) {
        return of(Typed.of(type, Map.of()));
    }

    private Shape of(Typed type) {
        Shape shape = known.get(type);
        if (shape == null) {
            shape = find(type);
            known.put(type, shape);
        }
        return shape;
    }

    private Shape find(Typed type) {
        Class<?> raw = type.raw();
        Shape scalar = Scalars.ALL.get(raw);
        if (scalar != null) {
            return scalar;
        }
        if (raw.isEnum()) {
            return choice(raw);
        }
        if (raw.isArray()) {
            return new Shape.Items(items -> array(raw, items), false, of(type.argument(0)));
        }
        if (raw == List.class || raw == Collection.class || raw == SequencedCollection.class || raw == Iterable.class) {
            return new Shape.Items(Collections::unmodifiableList, false, of(type.argument(0)));
        }
        if (raw == Set.class) {
            return new Shape.Items(
                    items -> Collections.unmodifiableSet(new LinkedHashSet<>(items)), true, of(type.argument(0)));
        }
        if (raw == Map.class) {
            Class<?> key = type.argument(0).raw();
            if (key != String.class && key != Object.class) {
                throw new IllegalArgumentException("a map's keys are texts in JSON: " + key.getName() + " is none");
            }
            return new Shape.Entries(of(type.argument(1)));
        }
        if (raw.isRecord()) {
            return record(type);
        }
        if (raw.isSealed() && raw.isInterface()) {
            return cases(type);
        }
        return maybe(type);
    }

    private Shape maybe(Typed type) {
        Class<?> raw = type.raw();
        if (raw == Optional.class) {
            return new Shape.Maybe(Optional::ofNullable, of(type.argument(0)));
        }
        if (raw == OptionalInt.class) {
            return new Shape.Maybe(
                    value -> value == null ? OptionalInt.empty() : OptionalInt.of((Integer) value),
                    new Shape.Whole(int.class));
        }
        if (raw == OptionalLong.class) {
            return new Shape.Maybe(
                    value -> value == null ? OptionalLong.empty() : OptionalLong.of((Long) value),
                    new Shape.Whole(long.class));
        }
        if (raw == OptionalDouble.class) {
            return new Shape.Maybe(
                    value -> value == null ? OptionalDouble.empty() : OptionalDouble.of((Double) value),
                    new Shape.Decimal(double.class));
        }
        throw new IllegalArgumentException("the type " + raw.getName() + " has no form in JSON here: records, enums,"
                + " sealed interfaces of records, numbers, booleans, String, dates, List, Set, arrays, Map and Optional"
                + " have one");
    }

    private static Shape choice(Class<?> raw) {
        List<Enum<?>> constants = new ArrayList<>();
        for (Object constant : raw.getEnumConstants()) {
            constants.add((Enum<?>) constant);
        }
        if (constants.isEmpty()) {
            throw new IllegalArgumentException("the enum " + raw.getName() + " has no constants");
        }
        return new Shape.Choice(raw, List.copyOf(constants));
    }

    private static Object array(Class<?> raw, List<@Nullable Object> items) {
        Object array = Array.newInstance(raw.getComponentType(), items.size());
        for (int i = 0; i < items.size(); i++) {
            Array.set(array, i, items.get(i));
        }
        return array;
    }

    private Shape.Fields record(Typed type) {
        Records access = Records.of(type.raw());
        Shape.Fields shape = new Shape.Fields(type.name(), description(type.raw()), access::make);
        known.put(type, shape); // before its fields are looked at: it may contain itself
        Map<TypeVariable<?>, Typed> variables = type.variables();
        List<Shape.Field> fields = new ArrayList<>();
        for (Records.Component component : access.components()) {
            Typed wanted = in(type.raw(), component.name(), () -> Typed.of(component.type(), variables));
            Shape value = in(type.raw(), component.name(), () -> of(wanted));
            fields.add(field(component.name(), value, component.element(), component.annotated(), component::get));
        }
        shape.fields = List.copyOf(fields);
        return shape;
    }

    /** A sentence about a component says whose it is. */
    private static <T> T in(Class<?> type, String name, Supplier<T> look) {
        try {
            return look.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(type.getSimpleName() + "." + name + ": " + e.getMessage(), e);
        }
    }

    /** The field of a record's component or of a method's parameter. */
    Shape.Field field(
            String name,
            Shape shape,
            AnnotatedElement element,
            AnnotatedType type,
            @Nullable Function<Object, @Nullable Object> get) {
        boolean needed = !(shape instanceof Shape.Maybe) && !mayBeNull(type) && !mayBeNull(element);
        return new Shape.Field(name, shape, description(element), needed, get);
    }

    /** Any annotation of that name counts: there are many, and none is the JDK's. */
    private static boolean mayBeNull(AnnotatedElement element) {
        return Stream.of(element.getAnnotations())
                .anyMatch(a -> a.annotationType().getSimpleName().equals("Nullable"));
    }

    private static String description(AnnotatedElement element) {
        Description given = element.getAnnotation(Description.class);
        return given == null ? "" : given.value();
    }

    private Shape cases(Typed type) {
        Shape.Cases shape = new Shape.Cases(type.name(), description(type.raw()));
        known.put(type, shape);
        Map<String, Shape.Fields> cases = new LinkedHashMap<>();
        collect(type.raw(), cases);
        shape.cases = List.copyOf(cases.values());
        return shape;
    }

    private void collect(Class<?> raw, Map<String, Shape.Fields> cases) {
        for (Class<?> permitted : raw.getPermittedSubclasses()) {
            if (permitted.isSealed() && permitted.isInterface()) {
                collect(permitted, cases);
                continue;
            }
            if (!permitted.isRecord() || permitted.getTypeParameters().length > 0) {
                throw new IllegalArgumentException("the case " + permitted.getName() + " of " + raw.getName()
                        + " is not a record, or a generic one");
            }
            Shape.Fields fields = (Shape.Fields) of(new Typed(permitted, List.of()));
            if (List.of(permitted.getRecordComponents()).stream()
                    .anyMatch(c -> c.getName().equals(Shape.Cases.TYPE))) {
                throw new IllegalArgumentException("the case " + permitted.getName() + " has a component \""
                        + Shape.Cases.TYPE + "\", which tells the cases of " + raw.getName() + " apart");
            }
            Shape.Fields same = cases.put(permitted.getSimpleName(), fields);
            if (same != null && same != fields) {
                throw new IllegalArgumentException(
                        "two cases of " + raw.getName() + " are called " + permitted.getSimpleName());
            }
        }
    }
}
