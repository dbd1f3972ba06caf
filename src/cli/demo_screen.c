/* What the demo shows: a live screen on a terminal, plain lines otherwise, and the summary. */
#include "demo.h"
#include "screen.h"
#include <stdarg.h>
#include <stdio.h>

static double seconds(int64_t ns) {
    return (double)ns / (double)NS_PER_S;
}

void demo_line(struct demo *d, const char *fmt, ...) {
    if (d->style.colour) return;
    va_list ap;
    printf("[%5.1f s] ", seconds(world_mono_ns(d->world.world) - d->start_ns));
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
}

static const struct table_column columns[] = {
    {NULL, TABLE_WHOLE}, {NULL, TABLE_CUT_END}, {NULL, TABLE_WHOLE}};

static void add_line(struct table *t, const char *mark, const char *colour, const char *what,
                     const char *value) {
    table_cell(t, "\x1b[32m", mark);
    table_cell(t, colour, what);
    table_cell(t, NULL, value);
}

static void draw_steps(struct demo *d, struct buf *out) {
    int64_t now = world_mono_ns(d->world.world);
    cleanup_table struct table *t = table_new(&d->style, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < demo_steps; i++) {
        bool past = i < d->step, at = i == d->step && !d->over;
        char took[32] = "";
        if (past)
            snprintf(took, sizeof took, "%6.1f s", seconds(d->took_ns[i]));
        else if (at && d->begun)
            snprintf(took, sizeof took, "%6.1f s", seconds(now - d->step_ns));
        add_line(t,
                 past ? (d->style.utf8 ? "  ✔" : "  +")
                 : at ? (d->style.utf8 ? "  ▶" : "  >")
                      : "   ",
                 past || at ? NULL : "\x1b[2m", demo_step_title(i), took);
    }
    table_print(t, out);
}

void demo_draw(struct demo *d, const struct status_report *b) {
    if (!d->style.colour) return;
    cleanup_buf struct buf out = BUF(1 << 20), report = BUF(1 << 20), frame = BUF(1 << 21);
    buf_addf(&out, "\x1b[1m Handover\x1b[0m  demo on the embedded API server, %.1f s\n\n",
             seconds(world_mono_ns(d->world.world) - d->start_ns));
    draw_steps(d, &out);
    buf_addc(&out, '\n');
    status_text(b, &d->style, world_wall_ns(d->world.world), &report);
    buf_add(&out, buf_slice(&report));
    screen_frame(&frame, buf_slice(&out), cli_style(stdout).height);
    fwrite(frame.p, 1, frame.n, stdout);
    fflush(stdout);
}

static void add_figure(struct table *t, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void add_figure(struct table *t, const char *what, const char *fmt, ...) {
    char value[128];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    add_line(t, "", NULL, what, value);
}

void demo_summary(struct demo *d) {
    cleanup_table struct table *steps = table_new(&d->style, columns, ARRAY_LEN(columns)),
                               *figures = table_new(&d->style, columns, ARRAY_LEN(columns));
    cleanup_buf struct buf out = BUF(1 << 16);
    char took[32];
    buf_adds(&out, d->style.colour ? "\x1b[H\x1b[2J\n" : "\n");
    for (size_t i = 0; i < d->step; i++) {
        snprintf(took, sizeof took, "%6.1f s", seconds(d->took_ns[i]));
        add_line(steps, "  done", NULL, demo_step_title(i), took);
    }
    table_print(steps, &out);
    buf_addc(&out, '\n');
    if (d->failed) {
        buf_addf(&out, "The demo failed: %s\n", d->failure);
    } else {
        add_figure(figures, "image update to the canary soaking", "%6.1f s", seconds(d->canary_ns));
        add_figure(figures, "failing image to its canary scaled to zero", "%6.1f s, stable pods restarted: 0",
                   seconds(d->rollback_ns));
        add_figure(figures, "SIGTERM to the Lease released", "%6.0f ms (%s)",
                   1000 * seconds(d->free_ns - d->signalled_ns), d->old_leader);
        add_figure(figures, "time without a leader", "%6.0f ms (then %s)",
                   1000 * seconds(d->taken_ns - d->free_ns), d->new_leader);
        add_figure(figures, "the whole demo", "%6.1f s",
                   seconds(world_mono_ns(d->world.world) - d->start_ns));
        table_print(figures, &out);
        buf_addc(&out, '\n');
    }
    fwrite(out.p, 1, out.n, stdout);
}
