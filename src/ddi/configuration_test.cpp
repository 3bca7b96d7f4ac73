// SPDX-License-Identifier: MIT
#include <cstring>

#include "ddi/testing.h"
#include "kernel/unicode.h"
#include "ndis/configuration.h"
#include "ndis/strings.h"

namespace undis {
namespace {

using kernel::RegistryValue;

class Configurations : public ServiceTest {
 protected:
  void SetUp() override { set_up(); }
  void set_up() {
    miniport = add_miniport6();
    adapter = add_adapter(*miniport);
  }
  void set(std::u16string_view name, RegistryValue value) {
    system->registry().set_value(kAdapterKey, name, std::move(value));
  }
  NDIS_HANDLE open() {
    NDIS_CONFIGURATION_OBJECT object{{NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
                                      NDIS_CONFIGURATION_OBJECT_REVISION_1,
                                      NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1},
                                     adapter->handle(),
                                     0};
    NDIS_HANDLE handle = nullptr;
    EXPECT_EQ(NdisOpenConfigurationEx(&object, &handle), NDIS_STATUS_SUCCESS);
    return handle;
  }
  NDIS_CONFIGURATION_PARAMETER* read(NDIS_HANDLE handle, std::u16string_view name,
                                     NDIS_PARAMETER_TYPE type = NdisParameterString,
                                     NDIS_STATUS expected = NDIS_STATUS_SUCCESS) {
    const WideString keyword(name);
    NDIS_STATUS status = NDIS_STATUS_PENDING;
    NDIS_CONFIGURATION_PARAMETER* parameter = nullptr;
    NdisReadConfiguration(&status, &parameter, handle, keyword.get(), type);
    EXPECT_EQ(status, expected) << kernel::to_utf8(name);
    return parameter;
  }
  NDIS_STATUS write(NDIS_HANDLE handle, std::u16string_view name, NDIS_CONFIGURATION_PARAMETER parameter) {
    const WideString keyword(name);
    NDIS_STATUS status = NDIS_STATUS_PENDING;
    NdisWriteConfiguration(&status, handle, keyword.get(), &parameter);
    return status;
  }

  Ref<MiniportDriver> miniport;
  Ref<Adapter> adapter;
};

TEST_F(Configurations, ShowEachTypeAsItIsStored) {
  set(u"Number", RegistryValue::dword(0x1234));
  set(u"Text", RegistryValue::string("hello"));
  set(u"Texts", RegistryValue::strings({"a", "bc"}));
  set(u"Bytes", RegistryValue::binary("\1\2\3", 3));
  as_driver([&] {
    const NDIS_HANDLE handle = open();
    NDIS_CONFIGURATION_PARAMETER* p = read(handle, u"number", NdisParameterInteger);
    EXPECT_EQ(p->ParameterType, NdisParameterInteger);
    EXPECT_EQ(p->ParameterData.IntegerData, 0x1234U);
    EXPECT_EQ(read(handle, u"Number", NdisParameterHexInteger)->ParameterType, NdisParameterHexInteger);
    p = read(handle, u"Text");
    EXPECT_EQ(p->ParameterType, NdisParameterString);
    EXPECT_EQ(kernel::view(&p->ParameterData.StringData), u"hello");
    EXPECT_EQ(p->ParameterData.StringData.MaximumLength, 12);
    p = read(handle, u"Texts", NdisParameterMultiString);
    EXPECT_EQ(p->ParameterType, NdisParameterMultiString);
    EXPECT_EQ(kernel::view(&p->ParameterData.StringData), std::u16string_view(u"a\0bc\0", 6));
    p = read(handle, u"Bytes", NdisParameterBinary);
    EXPECT_EQ(p->ParameterType, NdisParameterBinary);
    ASSERT_EQ(p->ParameterData.BinaryData.Length, 3);
    EXPECT_EQ(std::memcmp(p->ParameterData.BinaryData.Buffer, "\1\2\3", 3), 0);
    EXPECT_EQ(read(handle, u"Nothing", NdisParameterString, NDIS_STATUS_FAILURE), nullptr);
    NdisCloseConfiguration(handle);
  });
}

TEST_F(Configurations, ReadNumbersOutOfStrings) {
  set(u"*FlowControl", RegistryValue::string("3"));
  set(u"Hex", RegistryValue::string("0x1F"));
  as_driver([&] {
    const NDIS_HANDLE handle = open();
    EXPECT_EQ(read(handle, u"*FlowControl", NdisParameterInteger)->ParameterData.IntegerData, 3U);
    EXPECT_EQ(read(handle, u"Hex", NdisParameterHexInteger)->ParameterData.IntegerData, 0x1FU);
    NdisCloseConfiguration(handle);
  });
  EXPECT_EQ(number_in(u" -12x", 10), 0U - 12U);
  EXPECT_EQ(number_in(u"", 10), 0U);
  EXPECT_EQ(number_in(u"ff", 16), 255U);
}

TEST_F(Configurations, KnowNdisOwnKeywords) {
  as_driver([&] {
    const NDIS_HANDLE handle = open();
    EXPECT_EQ(read(handle, u"NdisVersion", NdisParameterInteger)->ParameterData.IntegerData,
              NdisGetVersion());
    EXPECT_EQ(read(handle, u"ProcessorType", NdisParameterInteger)->ParameterType, NdisParameterInteger);
    NdisCloseConfiguration(handle);
  });
}

TEST_F(Configurations, StoreEachType) {
  as_driver([&] {
    const NDIS_HANDLE handle = open();
    NDIS_CONFIGURATION_PARAMETER p{};
    p.ParameterType = NdisParameterInteger;
    p.ParameterData.IntegerData = 7;
    EXPECT_EQ(write(handle, u"Number", p), NDIS_STATUS_SUCCESS);
    const WideString text(u"text");
    p.ParameterType = NdisParameterString;
    p.ParameterData.StringData = *text.get();
    EXPECT_EQ(write(handle, u"Text", p), NDIS_STATUS_SUCCESS);
    p.ParameterType = static_cast<NDIS_PARAMETER_TYPE>(7);
    EXPECT_EQ(write(handle, u"Text", p), NDIS_STATUS_NOT_SUPPORTED);
    NdisCloseConfiguration(handle);
  });
  EXPECT_EQ(system->registry().value(kAdapterKey, u"Number"), RegistryValue::dword(7));
  EXPECT_EQ(system->registry().value(kAdapterKey, u"Text"), RegistryValue::string("text"));
}

TEST_F(Configurations, FreeWhatWasReadWhenTheyAreClosed) {
  set(u"Text", RegistryValue::string("hello"));
  const std::size_t before = system->pool().live_blocks(nullptr);
  as_driver([&] {
    const NDIS_HANDLE handle = open();
    read(handle, u"Text");
    EXPECT_GT(system->pool().live_blocks(nullptr), before);
    NdisCloseConfiguration(handle);
    EXPECT_EQ(system->pool().live_blocks(nullptr), before);
    NdisCloseConfiguration(handle);
    EXPECT_EQ(handle_misuses(), 1U);
    read(handle, u"Text", NdisParameterString, NDIS_STATUS_FAILURE);
    EXPECT_EQ(handle_misuses(), 1U);
  });
}

TEST_F(Configurations, HaveSubkeysByNameAndByIndex) {
  const std::u16string sub = std::u16string(kAdapterKey) + u"\\Sub";
  system->registry().set_value(sub, u"Number", RegistryValue::dword(5));
  as_driver([&] {
    const NDIS_HANDLE handle = open();
    const WideString name(u"Sub");
    NDIS_STATUS status = NDIS_STATUS_PENDING;
    NDIS_HANDLE below = nullptr;
    NdisOpenConfigurationKeyByName(&status, handle, name.get(), &below);
    ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(read(below, u"Number", NdisParameterInteger)->ParameterData.IntegerData, 5U);
    NdisCloseConfiguration(below);

    WCHAR buffer[8];
    NDIS_STRING found{0, sizeof buffer, buffer};
    NdisOpenConfigurationKeyByIndex(&status, handle, 0, &found, &below);
    ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(kernel::view(&found), u"Linkage") << "every adapter has it";
    NdisCloseConfiguration(below);
    NDIS_STRING unallocated{};
    NdisOpenConfigurationKeyByIndex(&status, handle, 1, &unallocated, &below);
    EXPECT_EQ(kernel::view(&unallocated), u"Sub");
    NdisCloseConfiguration(below);
    NdisOpenConfigurationKeyByIndex(&status, handle, 2, &found, &below);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    const WideString none(u"None");
    NdisOpenConfigurationKeyByName(&status, handle, none.get(), &below);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    NdisCloseConfiguration(handle);
  });
}

TEST_F(Configurations, GiveTheNetworkAddressAsBytes) {
  const auto address = [&](NDIS_STATUS expected) {
    std::vector<UCHAR> bytes;
    as_driver([&] {
      const NDIS_HANDLE handle = open();
      NDIS_STATUS status = NDIS_STATUS_PENDING;
      void* found = nullptr;
      UINT length = 0;
      NdisReadNetworkAddress(&status, &found, &length, handle);
      EXPECT_EQ(status, expected);
      if (found != nullptr) bytes.assign(static_cast<UCHAR*>(found), static_cast<UCHAR*>(found) + length);
      NdisCloseConfiguration(handle);
    });
    return bytes;
  };
  address(NDIS_STATUS_FAILURE);
  set(u"NetworkAddress", RegistryValue::string("020304050607"));
  EXPECT_EQ(address(NDIS_STATUS_SUCCESS), (std::vector<UCHAR>{2, 3, 4, 5, 6, 7}));
  set(u"NetworkAddress", RegistryValue::string("02-03-aB"));
  EXPECT_EQ(address(NDIS_STATUS_SUCCESS), (std::vector<UCHAR>{2, 3, 0xAB}));
  for (const char* wrong : {"", "--", "0x02", "020"}) {
    set(u"NetworkAddress", RegistryValue::string(wrong));
    address(NDIS_STATUS_FAILURE);
  }
  set(u"NetworkAddress", RegistryValue::dword(2));
  address(NDIS_STATUS_FAILURE);
}

TEST_F(Configurations, OfDriversMustBeThere) {
  NDIS_CONFIGURATION_OBJECT object{{NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
                                    NDIS_CONFIGURATION_OBJECT_REVISION_1,
                                    NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1},
                                   miniport->handle(),
                                   0};
  NDIS_HANDLE handle = nullptr;
  as_driver([&] { EXPECT_EQ(NdisOpenConfigurationEx(&object, &handle), NDIS_STATUS_FAILURE); });
  system->registry().create_key(
      u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\probe\\Parameters");
  as_driver([&] {
    EXPECT_EQ(NdisOpenConfigurationEx(&object, &handle), NDIS_STATUS_SUCCESS);
    NdisCloseConfiguration(handle);
    object.NdisHandle = this;
    EXPECT_EQ(NdisOpenConfigurationEx(&object, &handle), NDIS_STATUS_FAILURE);
    EXPECT_EQ(handle_misuses(), 1U);
    object.Header.Type = 0;
    EXPECT_EQ(NdisOpenConfigurationEx(&object, &handle), NDIS_STATUS_FAILURE);
  });
}

TEST_F(Configurations, OfNdis5OpenByContextAndBySection) {
  const NDIS_HANDLE context = library->handles().open(HandleKind::ConfigurationKey, adapter.get());
  const std::u16string section =
      u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\probe\\Parameters\\Adapters\\{nic0}";
  system->registry().create_key(section);
  as_driver([&] {
    NDIS_STATUS status = NDIS_STATUS_PENDING;
    NDIS_HANDLE handle = nullptr;
    NdisOpenConfiguration(&status, &handle, context);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    NdisCloseConfiguration(handle);
    library->handles().close(context);
    NdisOpenConfiguration(&status, &handle, context);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    EXPECT_EQ(handle_misuses(), 1U);
    const WideString name(section);
    NdisOpenProtocolConfiguration(&status, &handle, name.get());
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    NdisCloseConfiguration(handle);
  });
}

TEST_F(Configurations, CannotBeOpenedWithoutMemory) {
  adapter = nullptr;
  miniport = nullptr;
  with_first_call_failing([&] {
    static_cast<void>(this);
    NDIS_STATUS status = NDIS_STATUS_PENDING;
    NDIS_HANDLE handle = this;
    const WideString name(u"\\Registry\\Machine\\Software");
    NdisOpenProtocolConfiguration(&status, &handle, name.get());
    EXPECT_EQ(status, NDIS_STATUS_RESOURCES);
    EXPECT_EQ(handle, nullptr);
    NdisOpenProtocolConfiguration(&status, &handle, name.get());
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  });
  ASSERT_EQ(seen.left.size(), 1U) << "and one left open is told";
  EXPECT_EQ(seen.left[0].kind, HandleKind::Configuration);
  EXPECT_EQ(library->handles().open_count(), 0U);
}

TEST_F(Configurations, AreForPassiveLevel) {
  as_driver_at(DISPATCH_LEVEL, [&] { NdisCloseConfiguration(open()); });
  EXPECT_EQ(misuses(), (Kinds{kernel::Misuse::WrongIrql, kernel::Misuse::WrongIrql}));
}

}  // namespace
}  // namespace undis
