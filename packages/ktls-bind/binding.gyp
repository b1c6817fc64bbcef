{
  'targets': [
    {
      'target_name': 'ktls_bind',
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': [
        'NAPI_VERSION=8',
        'NODE_ADDON_API_CPP_EXCEPTIONS_ALL',
        'NODE_ADDON_API_DISABLE_DEPRECATED',
        # A worker that is terminated in the middle of a call must not take the process with it.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
        '_FILE_OFFSET_BITS=64',
      ],
      'cflags!': ['-fno-exceptions'],
      'cflags_cc!': ['-fno-exceptions', '-fno-rtti'],
      'cflags_cc': ['-std=c++17', '-Wall', '-Wextra', '-fexceptions', '-fvisibility=hidden'],
      'xcode_settings': {
        'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
      },
      'conditions': [
        [
          'OS=="linux"',
          {
            'sources': [
              'native/acceptor.cc',
              'native/addon.cc',
              'native/descriptor.cc',
              'native/diagnostics.cc',
              'native/record_io.cc',
              'native/watcher.cc',
            ],
          },
          {'sources': ['native/elsewhere.cc']},
        ],
      ],
    },
  ],
}
