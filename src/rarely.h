/*
 * rarely: RARELY marks a function that is seldom called from one that is called
 * all the time. The compiler would put the one into the other, which would then
 * save registers, and guard a stack, that it mostly does not need.
 */
#ifndef CISTERN_RARELY_H
#define CISTERN_RARELY_H

#define RARELY __attribute__((cold, noinline))

#endif
