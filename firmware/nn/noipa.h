/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_NOIPA_H
#define NN_NOIPA_H

/*
 * Keeps GCC from concluding anything about a function beyond its body. GCC 12 may take a kernel that writes
 * its output for one that does nothing, and drop its call: where two pointers advance in a fixed ratio it
 * writes one as a multiple of the other, counted from address 0 (ivopts), and then takes that for an access
 * to a null pointer, which ends the function's analysis (ipa-pure-const). Seen with -O2 for mean() over 8
 * values side by side; the C is right.
 *
 * A build with -fno-delete-null-pointer-checks does not have that fault and may define NN_IPA: the compiler
 * may then fit a kernel to the one layer that calls it, which saves a few kilobytes of flash.
 */
#if defined(__has_attribute) && !defined(NN_IPA)
#if __has_attribute(noipa)
#define NOIPA __attribute__((noipa))
#endif
#endif
#ifndef NOIPA
#define NOIPA
#endif

#endif
