// SPDX-License-Identifier: Apache-2.0
/*
 * A whole small model as a GGUF file, byte by byte and independent of the writer, so that it can lie. Every number and
 * text has a name and a place; an entry or a tensor can be left out, be written twice, or with another type.
 */
#ifndef PUNA_TESTS_HOSTILE_FILE_H
#define PUNA_TESTS_HOSTILE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum hostile_base { HOSTILE_SPM, HOSTILE_BPE } hostile_base; /* the vocabulary */

typedef enum hostile_kind {
    HOSTILE_NOTHING,
    HOSTILE_NUMBER, /* the number `field` is `number` */
    HOSTILE_BYTES,  /* the text `field` has the bytes `text`, repeated */
    HOSTILE_DROP,   /* the entry or tensor `field` is left out */
    HOSTILE_TWICE,  /* the entry or tensor `field` is there twice */
    HOSTILE_VALUE,  /* the entry `field` is of type `type`: a text, a number, or an array of `number` zeros */
    HOSTILE_SHAPE,  /* the tensor `field` has the shape [number, second] */
    HOSTILE_STORED, /* the tensor `field` is of type `type`, its bytes what that needs */
    HOSTILE_DATA,   /* the tensor `field` begins with the 4 bytes of `number` */
    HOSTILE_CUT,    /* the file ends after number / 64 of its bytes */
    HOSTILE_TEXTS   /* the array of strings `field` has `text` as its element `number` */
} hostile_kind;

typedef struct hostile_lie {
    hostile_kind kind;
    const char *field;
    uint64_t number, second;
    uint32_t type, element; /* of HOSTILE_VALUE's array */
    const char *text;
} hostile_lie;

enum { HOSTILE_FIELDS = 512 };

typedef struct hostile_field {
    char name[80];
    size_t at, width; /* width 1, 2, 4 or 8 of a number; a text's bytes */
} hostile_field;

typedef struct hostile_file {
    uint8_t *bytes;
    size_t used, room;
    hostile_field fields[HOSTILE_FIELDS];
    int field_count;
} hostile_file;

/* False where a lie's field does not exist: a mistake of the test. Free it in any case. */
bool hostile_make(hostile_file *file, hostile_base base, const hostile_lie *lie);
void hostile_free(hostile_file *file);

#endif
