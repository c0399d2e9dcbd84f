// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.template.Rendered;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What the model is told of a chat that forgets its oldest turns where its context is full. Turns go as a whole, since
 * templates want users and assistants to alternate; those of the system at the front stay.
 */
final class Remembering {
    private final Context context;
    private final Map<String, ?> variables;
    private final Toolbox box;

    Remembering(Context context, Map<String, ?> variables, Toolbox box) {
        this.context = context;
        this.variables = variables;
        this.box = box;
    }

    /** The conversation without so many messages behind the system's. */
    Rendered render(List<Message> asked, int left) {
        int front = front(asked);
        List<Message> told = new ArrayList<>(asked.subList(0, front));
        told.addAll(asked.subList(Math.min(asked.size(), front + left), asked.size()));
        return context.format().render(Messages.asTemplateValues(told), box.templateValues(), variables);
    }

    /**
     * How many messages are to be left out: as many as before, or where a quarter of the context would not be free, so
     * many that half of it is; the last turn stays.
     */
    int leaveOut(List<Message> asked, int before, Transcript transcript) {
        int room = context.length();
        int front = front(asked);
        int left = Math.min(before, asked.size() - front);
        if (count(asked, left, transcript) <= room - room / 4) {
            return left;
        }
        for (int i = front + left + 1; i < asked.size(); i++) {
            if (asked.get(i) instanceof Message.User) {
                left = i - front;
                if (count(asked, left, transcript) <= room / 2) {
                    break;
                }
            }
        }
        return left;
    }

    private int count(List<Message> asked, int left, Transcript transcript) {
        return transcript.next(render(asked, left).segments(), context.format()).ids().length;
    }

    /** Tokens at the front that do not depend on what users say: an answer that fills the context keeps them. */
    int frame(List<Message> asked, int left) {
        int front = front(asked);
        List<Message> said = new ArrayList<>(asked.subList(0, front));
        int[] one = ids(said, "a");
        int[] other = ids(said, "b");
        int[] all = context.format().encode(render(asked, left).segments());
        int same = 0;
        while (same < Math.min(Math.min(one.length, other.length), all.length)
                && one[same] == other[same]
                && one[same] == all[same]) {
            same++;
        }
        return same;
    }

    private int[] ids(List<Message> system, String text) {
        List<Message> said = new ArrayList<>(system);
        said.add(Message.user(text));
        return context.format()
                .encode(context.format()
                        .render(Messages.asTemplateValues(said), box.templateValues(), variables)
                        .segments());
    }

    private static int front(List<Message> asked) {
        int front = 0;
        while (front < asked.size() && asked.get(front) instanceof Message.System) {
            front++;
        }
        return front;
    }
}
