// SPDX-License-Identifier: Apache-2.0
/*
 * A vocabulary's tokens as a tree of their bytes, in an order in which an automaton visits all of them in one sweep:
 * constrained output asks at each step which tokens may come, and tokens with a common beginning share the answer to
 * it.
 *
 * Nodes stand in preorder; node i's subtree is [i, skip). Only tokens that stand for text are in it: no control,
 * unknown or unused token, none that ends a generation (those are listed apart), none without bytes.
 *
 * Immutable, counted by reference, independent of the tokenizer that it was made from. Any thread.
 */
#ifndef PUNA_TEXT_TOKEN_TREE_H
#define PUNA_TEXT_TOKEN_TREE_H

#include "text/vocabulary.h"

typedef struct token_tree_node {
    uint32_t skip;  /* the first node behind its subtree */
    uint32_t first; /* its tokens are ids[first .. first of the next node): those that end here */
    uint16_t depth; /* bytes from the root, at least 1 */
    uint8_t byte;
} token_tree_node;

typedef struct token_tree {
    _Atomic uint32_t references;
    memory_account account;
    int32_t vocabulary;
    token_tree_node *nodes; /* node_count, and one behind them, whose `first` ends the last one's tokens */
    uint32_t node_count, depth;
    int32_t *ids;
    uint32_t id_count;
    int32_t *ends; /* tokens that end a generation */
    uint32_t end_count;
} token_tree;

/* PUNA_OUT_OF_MEMORY. The caller holds one reference. */
puna_status token_tree_create(const vocabulary *v, token_tree **out, puna_error *error);
void token_tree_hold(token_tree *t);
void token_tree_release(token_tree *t); /* NULL is allowed */

#endif
