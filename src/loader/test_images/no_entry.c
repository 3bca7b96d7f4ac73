/* SPDX-License-Identifier: MIT */
/* A good shared object that is no driver. */
int driver_entry(void);
int driver_entry(void) {
  return 0;
}
