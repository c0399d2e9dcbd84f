// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HandleTest {
    private final List<String> freed = Collections.synchronizedList(new ArrayList<>());

    private Handle handle(String name, Handle... parent) {
        return new Handle(name, MemorySegment.NULL, address -> freed.add(name), parent.length == 0 ? null : parent[0]);
    }

    @AfterEach
    void nothingIsReportedTwice() {
        NativeLeaks.reportTo((what, opened) -> {});
    }

    @Test
    void closingTwiceFreesOnce() {
        Handle handle = handle("a");
        handle.close();
        handle.close();
        assertThat(freed).containsExactly("a");
        assertThat(handle.isClosed()).isTrue();
    }

    @Test
    void useAfterCloseIsAnException() {
        Handle handle = handle("model x");
        handle.close();
        assertThatThrownBy(() -> handle.use(this))
                .isInstanceOf(NativeClosedException.class)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the model x is closed");
    }

    @Test
    void closeWhileInUseFreesWhenTheUseEnds() {
        Handle handle = handle("a");
        Handle.Use use = handle.use(this);
        Handle.Use nested = handle.use(this);
        handle.close();
        assertThat(freed).isEmpty();
        assertThatThrownBy(() -> handle.use(this)).isInstanceOf(NativeClosedException.class);
        use.close();
        assertThat(freed).isEmpty();
        nested.close();
        assertThat(freed).containsExactly("a");
    }

    @Test
    void closingAParentClosesItsChildrenFirst() {
        Handle parent = handle("parent");
        Handle child = handle("child", parent);
        handle("grandchild", child);
        parent.close();
        assertThat(freed).containsExactly("grandchild", "child", "parent");
        assertThat(child.isClosed()).isTrue();
    }

    @Test
    void aParentOutlivesAChildInUse() {
        Handle parent = handle("parent");
        Handle child = handle("child", parent);
        Handle.Use use = child.use(this);
        parent.close();
        assertThat(freed).isEmpty();
        use.close();
        assertThat(freed).containsExactly("child", "parent");
    }

    @Test
    void aChildOfAClosedParentIsClosedAtOnce() {
        Handle parent = handle("parent");
        Handle.Use use = parent.use(this);
        parent.close();
        Handle child = handle("child", parent);
        assertThat(child.isClosed()).isTrue();
        use.close();
        assertThat(freed).containsExactly("child", "parent");
    }

    @Test
    void aForgottenOneIsReportedWithItsPlace() {
        List<String> reports = new ArrayList<>();
        NativeLeaks.reportTo((what, opened) -> reports.add(what + " " + opened.getStackTrace()[1].getMethodName()));
        Handle forgotten = handle("forgotten");
        Handle closed = handle("closed");
        closed.close();
        closed.abandoned();
        forgotten.abandoned();
        forgotten.abandoned();
        assertThat(reports).containsExactly("forgotten handle");
        assertThat(freed).containsExactly("closed", "forgotten");
    }

    /** Threads use a parent and its child while another thread closes them: none ever uses a freed one. */
    @Test
    void closeAgainstManyUsers() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int round = 0; round < 200; round++) {
                AtomicBoolean parentFreed = new AtomicBoolean();
                AtomicBoolean childFreed = new AtomicBoolean();
                AtomicInteger wrong = new AtomicInteger();
                AtomicInteger frees = new AtomicInteger();
                Handle parent = new Handle(
                        "parent",
                        MemorySegment.NULL,
                        a -> {
                            frees.incrementAndGet();
                            if (!childFreed.get()) wrong.incrementAndGet();
                            parentFreed.set(true);
                        },
                        null);
                Handle child = new Handle(
                        "child",
                        MemorySegment.NULL,
                        a -> {
                            frees.incrementAndGet();
                            if (parentFreed.get()) wrong.incrementAndGet();
                            childFreed.set(true);
                        },
                        parent);
                List<Future<?>> users = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    users.add(threads.submit(() -> {
                        while (true) {
                            try (Handle.Use use = child.use(this)) {
                                if (childFreed.get() || parentFreed.get()) wrong.incrementAndGet();
                                Thread.yield();
                            } catch (NativeClosedException e) {
                                return;
                            }
                        }
                    }));
                }
                Handle closed = round % 2 == 0 ? parent : child;
                users.add(threads.submit(closed::close));
                for (Future<?> user : users) {
                    user.get();
                }
                parent.close();
                assertThat(wrong).hasValue(0);
                assertThat(frees).hasValue(2);
            }
        }
    }
}
