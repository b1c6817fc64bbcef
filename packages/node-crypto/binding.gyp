{
  'targets': [
    {
      'target_name': 'tls13_node_crypto',
      'sources': [
        'native/addon.cc',
        'native/aead.cc',
        'native/block_pool.cc',
        'native/hash.cc',
        'native/key_exchange.cc',
        'native/records.cc',
        'native/signing_key.cc',
        'native/verdict_names.cc',
        'native/x509.cc',
      ],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_CPP_EXCEPTIONS_ALL', 'NODE_ADDON_API_DISABLE_DEPRECATED'],
      'cflags!': ['-fno-exceptions'],
      'cflags_cc!': ['-fno-exceptions', '-fno-rtti'],
      'cflags_cc': ['-std=c++17', '-Wall', '-Wextra', '-fexceptions', '-fvisibility=hidden'],
      # Every symbol of OpenSSL is looked up when the addon is loaded: where one is missing, loading fails and no call does.
      'conditions': [['OS!="win" and OS!="mac"', { 'ldflags': ['-Wl,-z,now'] }]],
      'xcode_settings': {
        'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
      },
    },
  ],
}
