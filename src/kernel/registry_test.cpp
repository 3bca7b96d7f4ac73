// SPDX-License-Identifier: MIT
//
// Pages  wdm/nf-wdm-zwopenkey, wdm/nf-wdm-zwqueryvaluekey, wdm/nf-wdm-rtlqueryregistryvalues
#include "kernel/registry.h"

#include <array>
#include <cstring>

#include <ntddk.h>

#include "kernel/io.h"
#include "kernel/testing.h"
#include "kernel/unicode.h"

namespace undis::kernel {
namespace {

using ::testing::ElementsAre;

constexpr const char16_t* kServices = u"\\Registry\\Machine\\System\\CurrentControlSet\\Services";
constexpr const char16_t* kPath =
    u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\probe\\Parameters";

UNICODE_STRING string_of(const char16_t* text) {
  UNICODE_STRING string;
  RtlInitUnicodeString(&string, text);
  return string;
}

class KeepingARegistry : public ::testing::Test {
 protected:
  Registry registry;
};

TEST_F(KeepingARegistry, FindsKeysAndValuesWhateverTheirCase) {
  registry.set_value("\\Registry\\Machine\\Software\\Probe", "Speed", RegistryValue::dword(7));
  EXPECT_EQ(registry.value("\\REGISTRY\\MACHINE\\software\\PROBE", "sPEED"), RegistryValue::dword(7));
  EXPECT_EQ(registry.value("Registry\\Machine\\Software\\Probe\\", "Speed")->as_dword(), 7u);
  EXPECT_FALSE(registry.value("\\Registry\\Machine\\Software\\Probe", "Duplex"));
  registry.set_value(u"\\Registry\\Machine\\Software\\probe", u"SPEED", RegistryValue::string("fast"));
  EXPECT_EQ(registry.value(u"\\Registry\\Machine\\Software\\Probe", u"Speed")->as_string(), u"fast");
  EXPECT_THAT(registry.value_names(u"\\Registry\\Machine\\Software\\Probe"), ElementsAre(u"Speed"));
}

TEST_F(KeepingARegistry, KeepsSubkeysInOrderOfTheirNames) {
  for (const char16_t* name : {u"beta", u"Alpha", u"GAMMA"})
    registry.create_key(std::u16string(u"\\Registry\\User\\") + name);
  EXPECT_THAT(registry.subkeys(u"\\Registry\\User"), ElementsAre(u"Alpha", u"beta", u"GAMMA"));
  EXPECT_TRUE(registry.erase_key(u"\\Registry\\User\\BETA"));
  EXPECT_FALSE(registry.erase_key(u"\\Registry\\User\\BETA"));
  EXPECT_THAT(registry.subkeys(u"\\Registry\\User"), ElementsAre(u"Alpha", u"GAMMA"));
}

TEST_F(KeepingARegistry, StoresStringsAsWindowsDoes) {
  EXPECT_EQ(RegistryValue::string("ab").data.size(), 6u);
  EXPECT_EQ(RegistryValue::strings({"ab", "c"}).data.size(), 12u);
  EXPECT_THAT(RegistryValue::strings({"ab", "c"}).as_strings(), ElementsAre(u"ab", u"c"));
  EXPECT_EQ(RegistryValue::string("\xC3\xA4").as_string(), u"\u00E4");
}

class ReadingTheRegistry : public KernelTest {
 protected:
  HANDLE open(const char16_t* path) {
    UNICODE_STRING name = string_of(path);
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr,
                               nullptr);
    HANDLE key = nullptr;
    status = ZwOpenKey(&key, KEY_READ, &attributes);
    return key;
  }
  NTSTATUS status = STATUS_SUCCESS;
};

TEST_F(ReadingTheRegistry, TellsHowMuchRoomAValueNeeds) {
  system->registry().set_value(kPath, u"Name", RegistryValue::string("nic"));
  as_driver([&] {
    const HANDLE key = open(kPath);
    ASSERT_EQ(status, STATUS_SUCCESS);
    UNICODE_STRING name = string_of(u"name");
    alignas(8) std::array<char, 64> buffer{};
    ULONG needed = 0;
    EXPECT_EQ(ZwQueryValueKey(key, &name, KeyValuePartialInformation, nullptr, 0, &needed),
              STATUS_BUFFER_TOO_SMALL);
    EXPECT_EQ(needed, offsetof(KEY_VALUE_PARTIAL_INFORMATION, Data) + 8);
    EXPECT_EQ(ZwQueryValueKey(key, &name, KeyValuePartialInformation, buffer.data(), needed - 1, &needed),
              STATUS_BUFFER_OVERFLOW);
    EXPECT_EQ(ZwQueryValueKey(key, &name, KeyValuePartialInformation, buffer.data(), needed, &needed),
              STATUS_SUCCESS);
    const auto& value = *reinterpret_cast<const KEY_VALUE_PARTIAL_INFORMATION*>(buffer.data());
    EXPECT_EQ(value.Type, REG_SZ);
    EXPECT_EQ(value.DataLength, 8u);
    EXPECT_EQ(std::memcmp(value.Data, u"nic", 8), 0);
    UNICODE_STRING absent = string_of(u"absent");
    EXPECT_EQ(ZwQueryValueKey(key, &absent, KeyValuePartialInformation, buffer.data(), 64, &needed),
              STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_EQ(ZwClose(key), STATUS_SUCCESS);
  });
}

TEST_F(ReadingTheRegistry, EnumeratesKeysAndValues) {
  system->registry().set_value(kPath, u"one", RegistryValue::dword(1));
  system->registry().set_value(kPath, u"two", RegistryValue::dword(2));
  as_driver([&] {
    const HANDLE services = open(kServices);
    alignas(8) std::array<char, 128> buffer{};
    ULONG needed = 0;
    EXPECT_EQ(ZwEnumerateKey(services, 0, KeyBasicInformation, buffer.data(), 128, &needed), STATUS_SUCCESS);
    const auto& key_info = *reinterpret_cast<const KEY_BASIC_INFORMATION*>(buffer.data());
    EXPECT_EQ(std::u16string(key_info.Name, key_info.NameLength / 2), u"probe");
    EXPECT_EQ(ZwEnumerateKey(services, 1, KeyBasicInformation, buffer.data(), 128, &needed),
              STATUS_NO_MORE_ENTRIES);
    ZwClose(services);

    const HANDLE key = open(kPath);
    EXPECT_EQ(ZwEnumerateValueKey(key, 1, KeyValueFullInformation, buffer.data(), 128, &needed),
              STATUS_SUCCESS);
    const auto& value = *reinterpret_cast<const KEY_VALUE_FULL_INFORMATION*>(buffer.data());
    EXPECT_EQ(std::u16string(value.Name, value.NameLength / 2), u"two");
    EXPECT_EQ(buffer[value.DataOffset], 2);
    EXPECT_EQ(ZwEnumerateValueKey(key, 2, KeyValueFullInformation, buffer.data(), 128, &needed),
              STATUS_NO_MORE_ENTRIES);
    ZwClose(key);
  });
}

TEST_F(ReadingTheRegistry, FailsForWhatIsNotThere) {
  as_driver([&] {
    EXPECT_EQ(open(u"\\Registry\\Machine\\Nowhere"), nullptr);
    EXPECT_EQ(status, STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_EQ(open(u"Registry"), nullptr);
    EXPECT_EQ(status, STATUS_OBJECT_PATH_SYNTAX_BAD);
  });
}

TEST_F(ReadingTheRegistry, FailsInLowMemory) {
  restart("0.f1");
  as_driver([&] {
    EXPECT_EQ(open(kServices), nullptr);
    EXPECT_EQ(status, STATUS_INSUFFICIENT_RESOURCES);
  });
}

TEST_F(ReadingTheRegistry, IsReportedForAHandleThatIsClosedTwice) {
  as_driver([&] {
    const HANDLE key = open(kServices);
    ZwClose(key);
    EXPECT_EQ(ZwClose(key), STATUS_INVALID_HANDLE);
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::BadParameter));
}

TEST_F(ReadingTheRegistry, IsReportedAboveItsIrql) {
  as_driver([&] {
    const RaiseIrql raised(DISPATCH_LEVEL);
    open(u"\\Registry\\Machine\\Nowhere");
  });
  EXPECT_THAT(take_misuses(), ElementsAre(Misuse::WrongIrql));
}

class WritingTheRegistry : public KernelTest {};

TEST_F(WritingTheRegistry, CreatesSetsAndDeletes) {
  as_driver([&] {
    UNICODE_STRING name = string_of(u"\\Registry\\Machine\\Software\\Made");
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
    HANDLE key = nullptr;
    ULONG disposition = 0;
    ASSERT_EQ(
        ZwCreateKey(&key, KEY_ALL_ACCESS, &attributes, 0, nullptr, REG_OPTION_NON_VOLATILE, &disposition),
        STATUS_SUCCESS);
    EXPECT_EQ(disposition, REG_CREATED_NEW_KEY);
    UNICODE_STRING value = string_of(u"v");
    ULONG data = 5;
    EXPECT_EQ(ZwSetValueKey(key, &value, 0, REG_DWORD, &data, sizeof data), STATUS_SUCCESS);
    EXPECT_EQ(system->registry().value("\\Registry\\Machine\\Software\\Made", "v")->as_dword(), 5u);
    EXPECT_EQ(ZwDeleteValueKey(key, &value), STATUS_SUCCESS);
    EXPECT_EQ(ZwDeleteKey(key), STATUS_SUCCESS);
    EXPECT_EQ(ZwSetValueKey(key, &value, 0, REG_DWORD, &data, sizeof data), STATUS_KEY_DELETED);
    ZwClose(key);
    EXPECT_FALSE(system->registry().has_key(u"\\Registry\\Machine\\Software\\Made"));
  });
}

TEST_F(WritingTheRegistry, ByPathGoesUnderTheNamedFolder) {
  as_driver([&] {
    ULONG data = 9;
    EXPECT_EQ(RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, u"probe\\Parameters", u"x", REG_DWORD, &data,
                                    sizeof data),
              STATUS_SUCCESS);
    EXPECT_EQ(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, const_cast<PWSTR>(u"probe")), STATUS_SUCCESS);
    EXPECT_EQ(RtlDeleteRegistryValue(RTL_REGISTRY_ABSOLUTE, kPath, u"y"), STATUS_OBJECT_NAME_NOT_FOUND);
  });
  EXPECT_EQ(system->registry().value(kPath, u"x")->as_dword(), 9u);
}

class QueryingRegistryValues : public KernelTest {
 protected:
  void SetUp() override {
    Registry& registry = system->registry();
    registry.set_value(kPath, u"number", RegistryValue::dword(42));
    registry.set_value(kPath, u"text", RegistryValue::string("abc"));
    registry.set_value(kPath, u"list", RegistryValue::strings({"x", "y"}));
  }
  static NTSTATUS query(RTL_QUERY_REGISTRY_TABLE* table, void* context = nullptr) {
    return RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, kPath, table, context, nullptr);
  }
  static RTL_QUERY_REGISTRY_TABLE direct(const char16_t* name, void* to, ULONG type) {
    RTL_QUERY_REGISTRY_TABLE entry{};
    entry.Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    entry.Name = const_cast<PWSTR>(name);
    entry.EntryContext = to;
    entry.DefaultType = type << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT;
    return entry;
  }
};

TEST_F(QueryingRegistryValues, StoresDirectlyWhatFitsItsType) {
  as_driver([&] {
    ULONG number = 0;
    UNICODE_STRING text{};
    RTL_QUERY_REGISTRY_TABLE table[] = {
        direct(u"number", &number, REG_DWORD), direct(u"text", &text, REG_SZ), {}};
    EXPECT_EQ(query(table), STATUS_SUCCESS);
    EXPECT_EQ(number, 42u);
    EXPECT_EQ(view(&text), u"abc");
    RtlFreeUnicodeString(&text);
    RTL_QUERY_REGISTRY_TABLE wrong[] = {direct(u"text", &number, REG_DWORD), {}};
    EXPECT_EQ(query(wrong), STATUS_OBJECT_TYPE_MISMATCH);
  });
}

TEST_F(QueryingRegistryValues, UsesTheDefaultOrFailsWhenTheValueIsRequired) {
  as_driver([&] {
    ULONG number = 0;
    ULONG standard = 11;
    RTL_QUERY_REGISTRY_TABLE table[] = {direct(u"absent", &number, REG_DWORD), {}};
    table[0].DefaultType |= REG_DWORD;
    table[0].DefaultData = &standard;
    table[0].DefaultLength = sizeof standard;
    EXPECT_EQ(query(table), STATUS_SUCCESS);
    EXPECT_EQ(number, 11u);
    table[0].Flags |= RTL_QUERY_REGISTRY_REQUIRED;
    EXPECT_EQ(query(table), STATUS_OBJECT_NAME_NOT_FOUND);
  });
}

TEST_F(QueryingRegistryValues, CallsTheRoutineForEachStringOfAList) {
  as_driver([&] {
    std::u16string all;
    RTL_QUERY_REGISTRY_TABLE table[2] = {};
    table[0].Name = const_cast<PWSTR>(u"list");
    table[0].QueryRoutine = [](PWSTR, ULONG type, PVOID data, ULONG, PVOID context, PVOID) -> NTSTATUS {
      EXPECT_EQ(type, REG_SZ);
      *static_cast<std::u16string*>(context) += static_cast<const char16_t*>(data);
      return STATUS_SUCCESS;
    };
    EXPECT_EQ(query(table, &all), STATUS_SUCCESS);
    EXPECT_EQ(all, u"xy");
  });
}

class OpeningADeviceKey : public KernelTest {};

TEST_F(OpeningADeviceKey, LeadsToTheClassKeyAndTheEnumKey) {
  PhysicalDevice description;
  description.instance_path = u"ROOT\\NET\\0000";
  description.driver_key = u"{4d36e972-e325-11ce-bfc1-08002be10318}\\0001";
  description.friendly_name = u"Probe adapter";
  const PDEVICE_OBJECT pdo = system->io().add_physical_device(description);
  system->registry().set_value("Registry\\Machine\\System\\CurrentControlSet\\Control\\Class\\{4d36e972-e325-"
                               "11ce-bfc1-08002be10318}\\0001",
                               "Mtu", RegistryValue::dword(1500));
  as_driver([&] {
    HANDLE key = nullptr;
    ASSERT_EQ(IoOpenDeviceRegistryKey(pdo, PLUGPLAY_REGKEY_DRIVER, KEY_READ, &key), STATUS_SUCCESS);
    UNICODE_STRING name = string_of(u"Mtu");
    alignas(8) std::array<char, 32> buffer{};
    ULONG needed = 0;
    EXPECT_EQ(ZwQueryValueKey(key, &name, KeyValuePartialInformation, buffer.data(), 32, &needed),
              STATUS_SUCCESS);
    ZwClose(key);
    std::array<char16_t, 32> text{};
    ULONG length = 0;
    EXPECT_EQ(IoGetDeviceProperty(pdo, DevicePropertyFriendlyName, 2, text.data(), &length),
              STATUS_BUFFER_TOO_SMALL);
    EXPECT_EQ(length, 28u);
    EXPECT_EQ(IoGetDeviceProperty(pdo, DevicePropertyFriendlyName, sizeof text, text.data(), &length),
              STATUS_SUCCESS);
    EXPECT_EQ(std::u16string(text.data()), u"Probe adapter");
  });
  system->io().remove_physical_device(pdo);
}

}  // namespace
}  // namespace undis::kernel
