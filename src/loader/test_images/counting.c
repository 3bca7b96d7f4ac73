/* SPDX-License-Identifier: MIT */
/* An image with data of every kind; its entry point counts in all of it and tells what it found. */
static int initialised = 40;
static int zero;
static int table[4096];
int shared_name = 7;
static int* const pointer_to_data = &initialised;
static int* moving_pointer = &zero;

int DriverEntry(void* DriverObject, void* RegistryPath);
int DriverEntry(void* DriverObject, void* RegistryPath) {
  (void)DriverObject;
  (void)RegistryPath;
  ++*pointer_to_data;
  ++zero;
  table[4095] += 1;
  ++shared_name;
  const int seen = initialised * 1000 + *moving_pointer * 100 + table[4095] * 10 + (shared_name - 7);
  moving_pointer = &initialised;
  return seen;
}
